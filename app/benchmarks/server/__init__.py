"""Benchmarks of the central server."""
