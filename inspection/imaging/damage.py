"""Errors of reading the bytes of an image file."""

from __future__ import annotations


class TruncatedError(ValueError):
    """The bytes end before the image does."""


class DamagedError(ValueError):
    """The bytes contradict themselves."""
