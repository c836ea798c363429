"""The commands of worker."""
