"""What AWS's API is asked for, read-only: state machines, executions and map runs with what it keeps of them."""
