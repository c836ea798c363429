"""The commands that work on executions: `run`, `worker`, `test-state`."""
