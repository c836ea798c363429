"""Versions of workflows: which text a reference means, aliases, and what may be changed."""
