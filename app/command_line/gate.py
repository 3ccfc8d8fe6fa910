"""``imageflow gate``: the gate that refuses images of poor quality before they are inspected."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from app.command_line.acquisition import (
    AcquisitionOptions,
    FramesOption,
    TriggerOption,
    WaitOption,
    acquire,
    missed_frames_reported,
    triggered_source,
)
from app.command_line.options import JsonOption, progress_bar, require_new_file
from app.command_line.reading_options import (
    BitDepthOption,
    PagesOption,
    RangeOption,
    chosen_reading,
    report_set_range,
    report_transparent,
    require_files,
)

gate_app = typer.Typer(
    help="The image-quality gate: learn its bounds from well-taken images.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@gate_app.callback()
def _gate() -> None:
    """The image-quality gate: learn its bounds from well-taken images."""


@gate_app.command()
def learn(
    images: Annotated[
        list[str],
        typer.Argument(
            help="Image files, folders or sources with well-taken images: a video file, watch:FOLDER, usb:0, rtsp://…, "
            "genicam:ADDRESS.",
            metavar="IMAGE|SOURCE...",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "--output", help="File that receives the bounds (JSON).")],
    frames: FramesOption = None,
    trigger: TriggerOption = None,
    wait: WaitOption = None,
    bit_depth: BitDepthOption = None,
    value_range: RangeOption = None,
    pages: PagesOption = "refuse",
    as_json: JsonOption = False,
) -> None:
    """Learn the bounds of focus, light and motion from well-taken images, for `imageflow inspect --gate FILE`.

    Take 20 images or more, of different parts: what they have in common becomes the bounds. An image that cannot be
    read is reported on stderr and left out; the exit code is then 1.

    \b
    Examples:
      imageflow gate learn photos/good --out gate.json
      imageflow gate learn usb:0 --frames 30 --trigger key --out gate.json
      imageflow inspect --model m.model --gate gate.json usb:0
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import report_error, warn
    from inspection.image_quality import QualityBounds, QualityGate, learn_bounds, shows_motion, write_bounds
    from inspection.imaging.set_range import range_of_set
    from models.errors import UnreadableImage
    from models.storage import require_writable

    require_new_file(out)
    require_writable(out)
    given = chosen_reading(bit_depth, value_range, pages)
    for spec in images:
        require_files(given, spec)
    set_range = range_of_set(_files(images), given.values)
    report_set_range(set_range, given)
    reading = given if set_range is None else replace(given, values=set_range.values)
    options = AcquisitionOptions("", frames, trigger, wait, reading)
    measured = []
    unread = transparent = 0
    with progress_bar("Measuring") as advance:
        for spec in images:
            with triggered_source(replace(options, spec=spec)) as source, missed_frames_reported(source):
                gate = QualityGate(QualityBounds(), in_motion=shows_motion(source.source_id))
                for item in acquire(source, options):
                    if isinstance(item, UnreadableImage):
                        report_error(item)
                        unread += 1
                        continue
                    transparent += item.transparent
                    measured.append(gate.measure(item))
                    share = len(measured) / frames if frames else 0.0
                    advance(f"Measuring {len(measured)}", share)
    learned = learn_bounds(measured)
    write_bounds(out, learned.bounds)
    bounds = learned.bounds.model_dump(exclude_none=True)
    if as_json:
        answer = {"file": str(out), "frames": learned.frames, "enough": learned.enough, "bounds": bounds}
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        for name, value in bounds.items():
            typer.echo(f"{name:18} {value:g}")
        typer.echo(f"learned from {learned.frames} frames; written to {out}")
    if not learned.enough:
        warn("few-frames")
    report_transparent(transparent)
    if unread:
        warn("images-left-out", count=unread)
        raise typer.Exit(1)


def _files(specs: list[str]) -> list[Path]:
    """Return the image files among what is given, and in the folders given."""
    from inspection.imaging.datasets import image_files
    from models.storage import is_file, is_folder

    paths = [Path(spec) for spec in specs]
    below = [file for path in paths if is_folder(path) for file in image_files(path)]
    return [*(path for path in paths if is_file(path)), *below]
