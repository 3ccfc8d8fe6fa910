"""Edits that lost to newer ones."""
