"""`sm batch`: one execution of a workflow for each item of a list."""
