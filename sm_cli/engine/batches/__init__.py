"""Batches: what they are given, how they are started, held back, taken up again, and what became of their items."""
