"""This machine's prices: measured on networks of its own, fitted to what the model counts on them."""
