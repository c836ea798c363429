"""The commands of terminal."""
