"""Targets, items, pipelines and defect classes."""
