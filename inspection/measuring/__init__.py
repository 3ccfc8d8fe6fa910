"""Lengths, areas, diameters and counts, with sub-pixel accuracy at sharp edges."""
