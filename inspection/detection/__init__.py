"""Detectors and classifiers: running exported graphs, and training them in a process of their own."""
