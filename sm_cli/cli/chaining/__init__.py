"""Executions that are started with the data of others: the options that say so, and the links."""
