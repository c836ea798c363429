"""The dashboard, for people: pages that the server renders, and the door to them."""
