"""Executions started with the data of others, and the links that tell of it."""
