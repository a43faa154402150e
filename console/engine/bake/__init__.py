"""The watch after a release: stop conditions over their history, trips, and the clock of the bake."""
