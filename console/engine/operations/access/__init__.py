"""What a cluster serves, who has which field of it, and what our account may do there."""
