"""`sm workflow`, and starts by version and alias, as a person types them."""
