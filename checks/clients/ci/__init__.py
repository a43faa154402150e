"""Continuous integration: what ran for a commit, a module for each system that tells it."""
