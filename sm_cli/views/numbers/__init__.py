"""Executions and states in numbers: how many, how often, how long."""
