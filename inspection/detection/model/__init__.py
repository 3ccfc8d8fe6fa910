"""Detectors and classifiers in memory."""
