"""The commands that show and change executions."""
