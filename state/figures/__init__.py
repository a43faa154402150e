"""Figures of delivery over launches."""
