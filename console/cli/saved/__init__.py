"""What saved logs tell to other programs: figures over many, and one in other formats."""
