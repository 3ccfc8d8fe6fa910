"""What an inspection found, in words: one short text for each class, measurement, code and colour."""

from __future__ import annotations

import json

from models.messages import catalogue, error_text
from models.results import ColourDifference, Detection, InspectionResult, Measurement

_PREFIX = "finding-"
_ANOMALY = "anomaly"


def finding_texts(result: InspectionResult, language: str = "en") -> list[str]:
    """Return what was found, each as a few words.

    Args:
        result: of one image.
        language: ``en`` or ``ja``; English for any other.

    Returns:
        for each class, the surest first, how many and how sure they are (the least and the most); then each
        measurement and code in the order of the steps, and each colour with its mean difference (CIEDE2000).
    """
    return [
        *_detected(result.detections, language),
        *(_measured(found, language) for found in result.measurements),
        *(f"{code.format} {json.dumps(code.text, ensure_ascii=False)}" for code in result.codes),
        *(_compared(found, language) for found in result.colours),
    ]


def _detected(detections: list[Detection], language: str) -> list[str]:
    by_class: dict[str, list[float]] = {}
    for found in sorted(detections, key=lambda found: (-found.confidence, found.class_name)):
        by_class.setdefault(found.class_name, []).append(found.confidence)
    texts = []
    for name, sure in by_class.items():
        # The regions of an anomaly model have no class of their own.
        shown = _word(_ANOMALY, language) if name == _ANOMALY else name
        texts.append(
            f"{shown} {sure[0]:.2f}" if len(sure) == 1 else f"{shown} ×{len(sure)} {sure[-1]:.2f}-{sure[0]:.2f}"
        )
    return texts


def _measured(found: Measurement, language: str) -> str:
    value = _word(found.reason, language) if found.value is None else f"{found.value:.6g} {found.unit}"
    return f"{found.name} {value}".rstrip()


def _compared(found: ColourDifference, language: str) -> str:
    if found.mean is None:
        return f"{found.name} {_word('not-compared', language)}"
    return f"{found.name} ΔE00 {found.mean:.2f}"


def _word(code: str, language: str) -> str:
    """Return the text of a code; the code itself when this version does not know it."""
    if f"{_PREFIX}{code}" not in catalogue("en"):
        return code
    return error_text(f"{_PREFIX}{code}", {}, language).detail
