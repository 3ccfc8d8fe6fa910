"""How many codes on metal, labels and packs are read: by the reader alone, and with all attempts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.benchmarks.figures import Figure
from app.benchmarks.inspection.codes import photographs, rate, reads
from inspection.codes.attempts import Effort
from inspection.imaging.files import read_image

_EFFORTS: dict[Effort, str] = {"quick": "the reader alone", "thorough": "effort thorough"}
_ALL = "all"
_LONGEST_MS = 500.0
_NOTE = "; the attempts were ordered on drawn codes and on these"


def measure(data: Path) -> list[Figure]:
    """Read every photograph once with each effort.

    Args:
        data: folder of folders, one a set, each with images and the expected text beside each as ``.txt``.

    Returns:
        for each effort the share that is read exactly, of all and of each set, and the times of a photograph.
    """
    figures: list[Figure] = []
    for effort, what in _EFFORTS.items():
        outcomes: dict[str, list[bool]] = {_ALL: []}
        milliseconds: dict[str, list[float]] = {_ALL: []}
        for image, expected in photographs(data):
            found, took = reads(read_image(image), expected, effort)
            for name in (_ALL, image.parent.name):
                outcomes.setdefault(name, []).append(found)
                milliseconds.setdefault(name, []).append(took)
        for name, good in outcomes.items():
            suffix = effort if name == _ALL else f"{effort}_{name.replace('-', '_').lower()}"
            figures.append(rate(f"hard_codes_read_rate_{suffix}", f"{name}, {what}", good, _NOTE))
            figures += _times(f"hard_codes_ms_{suffix}", f"{name}, {what}", milliseconds[name])
    return figures


def _times(name: str, what: str, milliseconds: list[float]) -> list[Figure]:
    within = sum(value <= _LONGEST_MS for value in milliseconds)
    return [
        Figure(
            name=f"{name}_p{share}",
            value=float(np.percentile(milliseconds, share)) if milliseconds else None,
            unit="ms",
            what=f"time to read the codes of a photograph, p{share}, {what}",
            note=f"{within} of {len(milliseconds)} within {_LONGEST_MS:.0f} ms",
        )
        for share in (50, 95)
    ]
