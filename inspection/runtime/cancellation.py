"""The word for a training that somebody ended."""

from __future__ import annotations

from models.errors import ImageFlowError


class TrainingCancelled(ImageFlowError):
    """The training was cancelled by whoever asked for it; no error of anybody, and no model was written."""
