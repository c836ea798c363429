"""Writing beside others: what a transaction holds, what it is offered, ids, commits."""
