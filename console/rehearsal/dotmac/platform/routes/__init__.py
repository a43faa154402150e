"""The routes of the platform, and what they share."""
