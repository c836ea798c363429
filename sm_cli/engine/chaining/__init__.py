"""Chaining: the input of one execution made from the output of another one, and the link that tells of it."""
