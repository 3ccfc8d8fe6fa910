"""Choosing a threshold, and its effect on scores."""
