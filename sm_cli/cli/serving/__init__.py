"""`sm serve`: the engine behind HTTP, with workers in the same process."""
