"""Inspection sessions and what persons decide about them."""
