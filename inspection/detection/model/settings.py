"""Which detections are reported, and boxes as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inspection.runtime.arrays import FloatArray, IntArray
from models.errors import InvalidInput

_SHOWN_NAMES = 20


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """Filtering of detections.

    Attributes:
        confidence: minimum confidence, exclusive.
        iou: non-maximum suppression removes the less confident of two boxes of a class that overlap by more.
        class_confidence: class → minimum confidence, overriding the general one.
        classes: classes to report; None reports all.
        max_detections: maximum number, by confidence.
    """

    confidence: float = 0.25
    iou: float = 0.7
    class_confidence: Mapping[str, float] = field(default_factory=dict)
    classes: frozenset[str] | None = None
    max_detections: int = 300


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Boxes as arrays: corners float32 ``(n, 4)`` in pixels of the image, scores ``(n,)``, classes ``(n,)``."""

    boxes: FloatArray
    scores: FloatArray
    classes: IntArray


def named_classes(rule: DetectionSettings) -> frozenset[str]:
    """Return the names of all classes the settings mention."""
    return frozenset(rule.class_confidence) | (rule.classes or frozenset())


def require_known_classes(names: tuple[str, ...], wanted: frozenset[str], model: str) -> None:
    """Check that the model knows all ``wanted`` classes.

    Raises:
        InvalidInput: ``detector-class-unknown``.
    """
    unknown = sorted(wanted.difference(names))
    if unknown:
        raise InvalidInput("detector-class-unknown", name=unknown[0], model=model, known=shown_names(names))


def shown_names(names: Sequence[str]) -> str:
    """Return class names for a message, at most twenty."""
    return ", ".join(names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")
