"""Cancellation of trainings."""

from __future__ import annotations

from models.errors import ImageFlowError


class TrainingCancelled(ImageFlowError):
    """The training was cancelled by the user; no model was written."""
