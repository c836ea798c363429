"""Versions of workflows: which text `order`, `order:3` and `order:prod` mean, and what may be changed about it."""
