"""Who does the work of a Task: handlers, the registry that finds one for a resource, loading, stubs, `http:invoke`."""
