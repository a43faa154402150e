"""A product of the rehearsal that only tests know: one deployment that answers nothing but its name."""
