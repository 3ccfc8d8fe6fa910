"""How many codes of real photographs are read, and how fast."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from app.benchmarks.figures import Figure
from inspection.codes.attempts import Effort
from inspection.codes.reading import read_codes
from inspection.imaging.datasets import image_files
from inspection.imaging.files import read_image
from inspection.metrics import wilson_interval

_WITHOUT_TEXT = frozenset({"<unkown>"})
"""Placeholder text of a photograph without a known code content."""


def measure(data: Path, effort: Effort = "normal") -> list[Figure]:
    """Read every photograph once.

    Args:
        data: folder of folders named ``<format>-<number>``, each with images and the expected text beside each as
            ``.txt`` (UTF-8) or ``.bin`` (bytes).
        effort: how many ways to try.

    Returns:
        the share that is read exactly, for all and for each format, and the time of a photograph.
    """
    outcomes: dict[str, list[bool]] = {}
    first: list[bool] = []
    milliseconds: list[float] = []
    for image in image_files(data):
        expected = expected_content(image)
        if expected is None:
            continue
        pixels = read_image(image)
        began = time.perf_counter()
        read = read_codes(pixels, effort=effort)
        milliseconds.append((time.perf_counter() - began) * 1000)
        name = image.parent.name.rpartition("-")[0]
        outcomes.setdefault(name, []).append(any(equal_content(code.text, expected) for code in read))
        first.append(any(equal_content(code.text, expected) for code in read_codes(pixels, effort="quick")))
    everything = [good for found in outcomes.values() for good in found]
    figures = [_rate("codes_read_rate", "all formats", everything)]
    figures.append(_rate("codes_read_rate_one_try", "all formats, the image as it is", first))
    figures += [_rate(f"codes_read_rate_{name}", name, found) for name, found in sorted(outcomes.items())]
    for name, share in (("p50", 50), ("p95", 95)):
        figures.append(
            Figure(
                name=f"codes_ms_{name}",
                value=float(np.percentile(milliseconds, share)) if milliseconds else None,
                unit="ms",
                what=f"time to read the codes of a photograph, {name}, effort {effort}",
                note="decoding of the image file not included",
            )
        )
    return figures


def expected_content(image: Path) -> bytes | None:
    """Return the content of the code in a photograph, from the file beside it; None when it is not known."""
    for suffix in (".bin", ".txt"):
        beside = image.with_suffix(suffix)
        if beside.is_file():
            found = beside.read_bytes()
            return None if found.decode("utf-8", "replace") in _WITHOUT_TEXT else found
    return None


def equal_content(text: str, expected: bytes) -> bool:
    """Return whether a text that was read is the expected content."""
    if text.encode() == expected:
        return True
    # Bytes that are no text are kept one for one.
    return all(ord(character) < 256 for character in text) and text.encode("latin-1") == expected  # noqa: PLR2004


def _rate(name: str, what: str, outcomes: list[bool]) -> Figure:
    count = len(outcomes)
    return Figure(
        name=name.replace("-", "_"),
        value=sum(outcomes) / count if count else None,
        what=f"photographs whose code is read exactly, {what}",
        interval=wilson_interval(sum(outcomes), count) if count else None,
        note=f"{sum(outcomes)} of {count} photographs of zxing-cpp's tests; the tries were chosen on them",
    )
