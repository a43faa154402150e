"""What the engine observes of the outside world, turned into events."""
