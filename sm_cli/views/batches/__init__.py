"""Batches: which there are, how far they are, and what became of their items."""
