"""Labelled images: reading, checking and laying them out for training."""
