"""The file that keeps a launch."""
