"""Releases of models to stations: some first, then all, and back."""
