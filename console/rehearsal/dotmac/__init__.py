"""The SOP's product as the rehearsal simulates it: platform, chart, objects, and what can go wrong with it."""
