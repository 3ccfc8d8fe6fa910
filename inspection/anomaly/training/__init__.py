"""Training an anomaly model from good images."""
