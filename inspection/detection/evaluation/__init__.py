"""Evaluation of detectors: average precision, parity between runtimes, verification of files."""
