"""Whose work a tick takes up: what is due and ready, everybody in turn, and what is set aside."""
