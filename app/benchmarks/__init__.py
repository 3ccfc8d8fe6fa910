"""Runs the product's own benchmarks and writes what they find: ``imageflow bench``."""
