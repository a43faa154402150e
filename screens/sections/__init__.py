"""What a dashboard is made of, section by section."""
