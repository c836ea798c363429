"""The database as a whole: what it answers, and whether it is sound."""
