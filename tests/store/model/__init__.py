"""The stores against a model of them."""
