"""Learning the bounds of the quality gate from images or frames."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer

from app.command_line.acquisition import AcquisitionOptions, acquire, triggered_source
from app.command_line.options import progress_bar


def learn_gate(specs: Sequence[str], file: Path, options: AcquisitionOptions, *, as_json: bool) -> None:
    """Learn bounds from images or frames and write them.

    Args:
        specs: folders, files and sources, one after the other.
        file: receives the bounds.
        options: of each source; its ``spec`` is replaced.
        as_json: prints JSON instead of text.

    Raises:
        UserFacingError: when there are too few, or they cannot be read or written.
    """
    from app.command_line import advise, tell
    from inspection.image_quality import QualityBounds, QualityGate, learn_bounds, shows_motion, write_bounds
    from models.errors import UnreadableImage

    measured = []
    with progress_bar("Measuring") as advance:
        for spec in specs:
            with triggered_source(replace(options, spec=spec)) as source:
                gate = QualityGate(QualityBounds(), in_motion=shows_motion(source.source_id))
                for item in acquire(source, options):
                    if isinstance(item, UnreadableImage):
                        tell(item)
                        continue
                    measured.append(gate.measure(item))
                    share = len(measured) / options.frames if options.frames else 0.0
                    advance(f"Measuring {len(measured)}", share)
    learned = learn_bounds(measured)
    write_bounds(file, learned.bounds)
    bounds = learned.bounds.model_dump(exclude_none=True)
    if as_json:
        typer.echo(json.dumps({"frames": learned.frames, "enough": learned.enough, "bounds": bounds}))
        return
    for name, value in bounds.items():
        typer.echo(f"{name:18} {value:g}")
    typer.echo(f"learnt from {learned.frames} frames and written to {file}")
    if not learned.enough:
        advise("few-frames")
