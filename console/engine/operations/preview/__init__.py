"""What is shown and looked at before an operation: preflight, plan, diff, locks."""
