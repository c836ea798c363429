"""What front ends show of executions that were started with the data of others."""
