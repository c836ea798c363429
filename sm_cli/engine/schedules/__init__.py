"""Schedules: when they fire, what a person does with them, and their firing in a tick."""
