"""State machines, activities and map runs as AWS's API changes them."""
