"""``launch-console checks`` and the schema: the kinds of checks, told from their models."""
