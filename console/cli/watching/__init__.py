"""Commands that show a launch and change nothing: a log that is followed or replayed, with a screen or without."""
