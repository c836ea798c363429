"""The project that a command finds: its settings, workflows and database; `init` and `schema`."""
