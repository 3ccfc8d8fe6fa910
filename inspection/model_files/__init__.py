"""Formats of model files: archives, detection of foreign formats, and the models a step may use."""
