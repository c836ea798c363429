"""Numbers for Prometheus: what this process has done, and what the database holds at the moment that it is asked."""
