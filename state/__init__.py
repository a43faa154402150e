"""What a launch is: events, their fold, the log that keeps them and the runbook that they follow."""
