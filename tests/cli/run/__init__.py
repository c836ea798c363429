"""The commands of run."""
