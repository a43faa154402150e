"""What a captain sees."""
