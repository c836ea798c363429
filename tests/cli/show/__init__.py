"""The commands of show."""
