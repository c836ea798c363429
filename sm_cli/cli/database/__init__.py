"""`sm db`: the database as a file: backup, size, soundness, retention, questions."""
