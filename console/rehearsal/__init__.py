"""A simulated outside world that is served over real connections."""
