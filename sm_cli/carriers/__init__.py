"""Engines that carry hints between workers: the port that they fill, and what a worker makes of a hint."""
