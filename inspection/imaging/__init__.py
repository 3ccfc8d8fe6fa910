"""Frames, image files, resizing, placement and colour."""
