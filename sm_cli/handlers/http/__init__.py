"""`http:invoke`: the request, the exchange, the settings."""
