"""Benchmarks of the inspection engine: anomaly models, detectors, codes, sensor models."""
