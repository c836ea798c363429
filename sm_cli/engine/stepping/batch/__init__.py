"""What makes a map run a batch: its plan, and children that are executions of the target."""
