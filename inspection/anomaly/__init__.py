"""Good-only anomaly models on images."""
