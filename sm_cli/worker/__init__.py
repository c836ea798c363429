"""A worker: the loop that steps, the pool that runs handlers, heartbeats, who is alive."""
