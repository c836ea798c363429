"""Workflows with their versions and aliases, as a front end shows them."""
