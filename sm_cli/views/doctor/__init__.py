"""What is wrong with a project, its database and its workers, found by a table of small checks."""
