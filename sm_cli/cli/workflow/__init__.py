"""`sm workflow`: the versions of workflows, and the aliases that mean them."""
