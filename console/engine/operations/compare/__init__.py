"""What live objects are held against, and what counts as the same."""
