"""What one transaction does: a unit of work, the meaning of every command, and the tick that steps."""
