"""A launch in formats of other programs."""
