"""Charts of our own writing: what public charts were seen to have, and as much again."""
