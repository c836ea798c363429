"""`sm db`: the database as a whole: backup, size, soundness, retention, questions."""
