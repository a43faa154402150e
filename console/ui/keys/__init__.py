"""Keys: what each does, keys of one's own, and the order in which they arrive."""
