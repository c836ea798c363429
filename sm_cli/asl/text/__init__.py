"""Definition text: JSON and YAML to a document that knows line and column of every JSON pointer; edits of it."""
