"""Model files of detectors and classifiers: manifest, archive, loading."""
