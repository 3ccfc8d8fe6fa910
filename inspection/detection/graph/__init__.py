"""Graphs of detectors and classifiers: metadata, input, heads, decoding, compilation."""
