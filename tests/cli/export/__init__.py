"""`sm export`."""
