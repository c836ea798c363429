"""`validate` and what belongs to it: reports, excerpts, fixes, explanations."""
