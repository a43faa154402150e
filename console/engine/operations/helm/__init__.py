"""The helm program, and charts on this machine."""
