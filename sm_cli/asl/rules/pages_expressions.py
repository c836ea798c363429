"""Pages of the catalogue; see `pages`."""

PAGES = ""
