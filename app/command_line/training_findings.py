"""What a training found out about good images and defects, in the user's language."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from app.command_line.wording import phrase

if TYPE_CHECKING:
    from pathlib import Path

    from inspection.anomaly import TrainingReport
    from inspection.anomaly.manifest import RotationRecord, SeparationRecord

_MOST_NAMED = 3


def rotation_line(record: RotationRecord | None) -> str:
    """Return what a training found out about the orientation of parts; empty where there is nothing to say."""
    if record is None:
        return ""
    change, fixed, turned = record.good_change, record.separation_fixed, record.separation_turned
    if change is None or fixed is None or turned is None:
        return phrase("rotation-given", rotations=record.rotations) if record.rotations > 1 else ""
    return phrase(
        "rotation-measured" if record.rotations > 1 else "rotation-not-kept",
        rotations=record.rotations,
        change=f"{change:+.1%}",
        turned=f"{turned:.3f}",
        fixed=f"{fixed:.3f}",
    )


def highest_line(report: TrainingReport, folder: Path) -> str:
    """Return which good images have the highest held-out scores, which a threshold rests on.

    Args:
        report: of the training.
        folder: that the images lie in.
    """
    highest = report.held_out[:_MOST_NAMED]
    names = ", ".join(f"{path.relative_to(folder)} ({score:.3f})" for path, score in highest)
    middle = median(score for _, score in report.held_out)
    return phrase("training-highest", names=names, median=f"{middle:.3f}")


def seen_line(report: TrainingReport) -> str:
    """Return how large a model sees the images, and what a finer detail would find."""
    from inspection.anomaly.detail import smallest_defect

    configuration = report.manifest.configuration
    if configuration is None:
        return ""
    defects = smallest_defect(report.manifest.preprocessing.scale)
    finer = report.finer
    if finer is None:
        return phrase("training-seen", side=configuration.side, defects=defects)
    return phrase(
        "training-seen-finer",
        side=configuration.side,
        defects=defects,
        detail=finer.detail,
        finer=finer.smallest_defect,
    )


def separation_line(found: SeparationRecord) -> str:
    """Return how well good images and defects are separated, and what the threshold makes of it."""
    return phrase(
        f"separation-{found.source}",
        defects=found.defects,
        good=found.good,
        auroc=f"{found.auroc:.3f}",
        f1=f"{found.f1:.3f}",
        escapes=found.escapes,
        best_f1=f"{found.best_f1:.3f}",
        best_threshold=f"{found.best_threshold:.3f}",
    )
