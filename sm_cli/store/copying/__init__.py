"""Copying a database into another one, of whatever kind."""
