"""Training and export of detectors, in a process of its own."""
