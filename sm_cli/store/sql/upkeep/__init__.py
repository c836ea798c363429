"""What keeps tables short: deleting old executions, and folding the log of state times."""
