"""``imageflow model verify`` for detectors."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from app.command_line.options import progress_bar


def verify_detector_file(model: Path, against: Path | None, images: Path | None, *, as_json: bool) -> None:
    """Check a detector's file and print what was found."""
    from inspection.datasets import image_files
    from inspection.detection.verification import verify_against, verify_detector

    with progress_bar("Checking"):
        if against is None:
            found = verify_detector(model)
        else:
            found = verify_against(model, against, image_files(images) if images is not None else [])
    if as_json:
        answer = {
            "model": str(found.path),
            "digest": found.digest,
            "precision": found.precision,
            "reference": found.reference,
            "parity": None if found.agreement is None else found.agreement.model_dump(mode="json"),
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    whole = f"{found.path} is whole (SHA-256 {found.digest})"
    if found.agreement is None:
        typer.echo(f"{whole}; it holds no boxes to compare with")
        return
    beside = "it finds what it found where it was made" if against is None else f"it agrees with {found.reference}"
    typer.echo(f"{whole} and {beside}: {found.agreement.matched:.1%} of {found.agreement.boxes} boxes have a partner")
