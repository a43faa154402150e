"""Simulators of what a launch talks to. They know nothing of a launch or of a product."""
