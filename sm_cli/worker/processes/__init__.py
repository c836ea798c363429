"""Processes of their own for handlers: what passes between them and the worker, and who starts and ends them."""
