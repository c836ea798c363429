"""The versions of workflows in a database, and what is done with them."""
