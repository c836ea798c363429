"""The store's questions in SQL, by name, one set for every database."""
