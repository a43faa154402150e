"""Checks as the engine runs them, and what they add up to."""
