"""What an editor needs to know of the language: a JSON Schema with descriptions."""
