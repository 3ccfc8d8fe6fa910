"""Training and export of detectors, in a subprocess."""
