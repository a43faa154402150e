"""``launch-console runbook``: what is wrong with a runbook, by itself and on this machine."""
