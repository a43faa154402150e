"""The console's process: a window on a launch."""
