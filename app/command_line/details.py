"""The detail of a training: its options, and what each one costs, printed before the training begins."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.command_line.tables import table_lines
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from inspection.anomaly.preprocessing import ImagePreprocessor
    from inspection.anomaly.training.estimates import DetailEstimate
    from inspection.anomaly.training.settings import TrainingSettings

_COLUMNS = ("name", "latency", "memory", "defects", "tiles", "training")
_MINUTE = 60

DetailOption = Annotated[
    Literal["fast", "standard", "fine", "finest"] | None,
    typer.Option(
        "--detail",
        help="How large the model sees the images: finer finds smaller defects and takes longer. When given, the time "
        "that each takes here is measured and printed first; standard by default.",
    ),
]
SideOption = Annotated[
    int | None,
    typer.Option(
        "--side",
        min=64,
        max=2304,
        help="Overrules --detail: the model sees an image of median size as large as a square of this side, pixels.",
    ),
]
RotationOption = Annotated[
    Literal["auto", "any", "fixed"],
    typer.Option(
        "--rotation",
        help="How parts lie: any (in any orientation), fixed (always alike), or auto: found out from the good images.",
    ),
]


def measured_details(
    paths: Sequence[Path], settings: TrainingSettings, preprocessor: ImagePreprocessor
) -> list[dict[str, Any]]:
    """Measure what each detail costs on this computer, print it on stderr, and return it for a program.

    Raises:
        UserFacingError: as ``estimate_details``.
    """
    from inspection.anomaly.training.estimates import estimate_details

    found = estimate_details(paths, settings, preprocessor=preprocessor)
    chosen = "" if settings.side is not None else settings.detail
    header = [phrase(f"detail-{column}") for column in _COLUMNS]
    lines = table_lines(header, [_row(estimate, chosen) for estimate in found])
    sys.stderr.write("\n".join(lines) + "\n")
    return [asdict(estimate) for estimate in found]


def _row(estimate: DetailEstimate, chosen: str) -> list[str]:
    name = estimate.detail or f"{estimate.side} px"
    return [
        f"* {name}" if estimate.detail == chosen else f"  {name}",
        f"{estimate.latency_ms:.0f}",
        f"{estimate.memory_mb:.0f}",
        f"{estimate.smallest_defect} px",
        f"{estimate.tiles}",
        _duration(estimate.training_s),
    ]


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return phrase("detail-seconds", seconds=f"{seconds:.0f}")
    return phrase("detail-minutes", minutes=f"{seconds / _MINUTE:.0f}")
