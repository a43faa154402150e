"""Asking before acting: forms, the question with its preview, the difference."""
