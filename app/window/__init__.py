"""The station's window: shell, look, widgets, and one folder for each feature."""
