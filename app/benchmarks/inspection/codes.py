"""How many codes of real photographs are read, and how fast."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from app.benchmarks.figures import Figure
from inspection.codes.attempts import Effort
from inspection.codes.reading import read_codes
from inspection.imaging.datasets import image_files
from inspection.imaging.files import read_image
from inspection.imaging.frames import Pixels
from inspection.metrics import wilson_interval

_NOTE = " of zxing-cpp's tests; the tries were chosen on them"
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
    for image, expected in photographs(data):
        pixels = read_image(image)
        found, took = reads(pixels, expected, effort)
        milliseconds.append(took)
        outcomes.setdefault(image.parent.name.rpartition("-")[0], []).append(found)
        first.append(reads(pixels, expected, "quick")[0])
    everything = [good for found_ones in outcomes.values() for good in found_ones]
    figures = [rate("codes_read_rate", "all formats", everything, _NOTE)]
    figures.append(rate("codes_read_rate_one_try", "all formats, the image as it is", first, _NOTE))
    figures += [rate(f"codes_read_rate_{name}", name, good, _NOTE) for name, good in sorted(outcomes.items())]
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


def photographs(data: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the photographs whose content is known, each with the content of its code."""
    for image in image_files(data):
        expected = _expected_content(image)
        if expected is not None:
            yield image, expected


def reads(pixels: Pixels, expected: bytes, effort: Effort) -> tuple[bool, float]:
    """Return whether the code with the expected content is read, and the milliseconds that took."""
    began = time.perf_counter()
    read = read_codes(pixels, effort=effort)
    took = (time.perf_counter() - began) * 1000
    return any(_equal_content(code.text, expected) for code in read), took


def _expected_content(image: Path) -> bytes | None:
    """Return the content of the code in a photograph, from the file beside it; None when it is not known."""
    for suffix in (".bin", ".txt"):
        beside = image.with_suffix(suffix)
        if beside.is_file():
            found = beside.read_bytes()
            return None if found.decode("utf-8", "replace") in _WITHOUT_TEXT else found
    return None


def _equal_content(text: str, expected: bytes) -> bool:
    """Return whether a text that was read is the expected content."""
    if text.encode() == expected:
        return True
    # Bytes that are no text are kept one for one.
    return all(ord(character) < 256 for character in text) and text.encode("latin-1") == expected  # noqa: PLR2004


def rate(name: str, what: str, outcomes: list[bool], note: str) -> Figure:
    """Return the share of photographs whose code was read, with what a reader must know of the photographs."""
    count = len(outcomes)
    return Figure(
        name=name.replace("-", "_"),
        value=sum(outcomes) / count if count else None,
        what=f"photographs whose code is read exactly, {what}",
        interval=wilson_interval(sum(outcomes), count) if count else None,
        note=f"{sum(outcomes)} of {count} photographs{note}",
    )
