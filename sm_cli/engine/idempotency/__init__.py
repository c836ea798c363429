"""Requests that are repeated: what is done for them once, however often they come."""
