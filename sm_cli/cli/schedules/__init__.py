"""`sm schedule`: executions by the clock."""
