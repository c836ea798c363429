"""What front ends show, read-only: why an execution waits, visits of states, documents."""
