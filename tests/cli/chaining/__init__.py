"""`sm run --from-execution`, `sm links`, and what other commands tell of links."""
