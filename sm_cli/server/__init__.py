"""`sm serve`: the engine behind HTTP, for programs (REST), for AWS's clients and for people (the dashboard)."""
