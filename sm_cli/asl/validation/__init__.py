"""What is checked of a definition, as diagnostics with a place; what AWS says of the same; fixes."""
