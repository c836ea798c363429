"""Processes that are killed, power that fails, and every order in which things may come."""
