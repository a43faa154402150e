"""``launch-console doctor``: what a launch would miss on this machine and in its clusters."""
