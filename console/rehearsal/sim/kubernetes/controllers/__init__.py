"""What makes the simulated cluster move."""
