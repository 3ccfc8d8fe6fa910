"""Rules that watch the figures of inspection and raise alerts: stored, edited, evaluated once over all replicas."""
