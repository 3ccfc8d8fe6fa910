"""Uploaded files: images by reference for pipelines and reports."""
