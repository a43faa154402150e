"""A captain that drives a rehearsal by itself, and the launch without a screen."""
