"""``launch-console check``: the sweep, its tally, and JUnit."""
