"""The commands of validate."""
