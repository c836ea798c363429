"""Workflows: which there are, one with its versions, starting it, and the editor."""
