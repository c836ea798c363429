"""Executions: the list of them, one with all that is known of it, and what is done to many at once."""
