"""A second oracle, written from the documentation alone, and a driver that compares the product with it."""
