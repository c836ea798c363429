"""A project, whoever asks for it: its settings, and its workflows by name."""
