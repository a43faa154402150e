"""What an operation came to, read from helm and live objects."""
