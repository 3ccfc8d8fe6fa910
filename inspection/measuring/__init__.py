"""Lengths, areas, diameters and counts, finer than a pixel where edges are sharp."""
