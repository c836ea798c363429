"""Measurements: each a ratio or a count in one run on one machine, none a test. `python -m bench [NAME…]`."""
