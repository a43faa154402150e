"""What the outside world is asked, and how the answer is judged."""
