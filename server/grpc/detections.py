"""Detections as messages, and back; nothing that processes images is loaded for it."""

from __future__ import annotations

from pydantic import ValidationError

from models.errors import InvalidInput
from models.results import BoundingBox, Detection
from server.grpc.stubs import ai_detection_pb2


def as_message(found: Detection) -> ai_detection_pb2.Detection:
    """Return a detection as a message."""
    box = found.bbox
    return ai_detection_pb2.Detection(
        class_name=found.class_name,
        confidence=found.confidence,
        bbox=ai_detection_pb2.BoundingBox(x=box.x, y=box.y, width=box.width, height=box.height),
    )


def as_detection(message: ai_detection_pb2.Detection) -> Detection:
    """Return a detection from its message.

    Raises:
        InvalidInput: ``service-message-malformed`` when a number is out of range.
    """
    box = message.bbox
    try:
        return Detection(
            class_name=message.class_name,
            confidence=message.confidence,
            bbox=BoundingBox(x=box.x, y=box.y, width=box.width, height=box.height),
        )
    except ValidationError as error:
        raise InvalidInput("service-message-malformed", message="Detection") from error
