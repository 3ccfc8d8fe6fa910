"""``imageflow gate``: the gate that refuses images of poor quality before they are inspected."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from inspection.image_quality import ImageQuality, LearnedBounds

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
    from app.command_line import warn
    from inspection.image_quality import learn_bounds, write_bounds
    from inspection.imaging.set_range import range_of_set
    from models.storage import require_writable

    require_new_file(out)
    require_writable(out)
    given = chosen_reading(bit_depth, value_range, pages)
    for spec in images:
        require_files(given, spec)
    set_range = range_of_set(_files(images), given.values)
    report_set_range(set_range, given)
    reading = given if set_range is None else replace(given, values=set_range.values)
    measured = _measure([AcquisitionOptions(spec, frames, trigger, wait, reading) for spec in images])
    learned = learn_bounds(measured.qualities)
    write_bounds(out, learned.bounds)
    _show(out, learned, as_json=as_json)
    if not learned.enough:
        warn("few-frames")
    report_transparent(measured.transparent)
    if measured.unread:
        warn("images-left-out", count=measured.unread)
        raise typer.Exit(1)


@dataclass
class _Measured:
    """What was measured of the images given.

    Attributes:
        qualities: one an image.
        transparent: how many images have transparent parts.
        unread: how many could not be read.
    """

    qualities: list[ImageQuality] = field(default_factory=list)
    transparent: int = 0
    unread: int = 0


def _measure(sources: list[AcquisitionOptions]) -> _Measured:
    """Measure every image of every source; one that cannot be read is reported on stderr."""
    from app.command_line import report_error
    from inspection.image_quality import QualityBounds, QualityGate, shows_motion
    from models.errors import UnreadableImage

    found, taken, total = _Measured(), 0, _total(sources)
    with progress_bar(phrase("measuring")) as advance:
        for options in sources:
            with triggered_source(options) as source, missed_frames_reported(source):
                gate = QualityGate(QualityBounds(), in_motion=shows_motion(source.source_id))
                for item in acquire(source, options):
                    taken += 1
                    if isinstance(item, UnreadableImage):
                        report_error(item)
                        found.unread += 1
                    else:
                        found.transparent += item.transparent
                        found.qualities.append(gate.measure(item))
                    if total is None:
                        advance(phrase("measuring-number", number=taken), None)
                    else:
                        advance(phrase("measuring-of", number=taken, total=total), taken / total)
    return found


def _total(sources: list[AcquisitionOptions]) -> int | None:
    """Return how many images the sources give at most; None where one gives as many as come."""
    from inspection.imaging.formats import VIDEO_SUFFIXES
    from models.storage import is_file, is_folder

    total = 0
    for options in sources:
        path = Path(options.spec)
        still = is_folder(path) or (is_file(path) and path.suffix.lower() not in VIDEO_SUFFIXES)
        known = [number for number in (len(_files([options.spec])) if still else None, options.frames) if number]
        if not known:
            return None
        total += min(known)
    return total


def _show(out: Path, learned: LearnedBounds, *, as_json: bool) -> None:
    bounds = learned.bounds.model_dump(exclude_none=True)
    if as_json:
        answer = {"file": str(out), "frames": learned.frames, "enough": learned.enough, "bounds": bounds}
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for name, value in bounds.items():
        typer.echo(f"{name:18} {value:g}")
    typer.echo(phrase("gate-learned", frames=learned.frames, file=out))


def _files(specs: list[str]) -> list[Path]:
    """Return the image files among what is given, and in the folders given."""
    from inspection.imaging.datasets import image_files
    from models.storage import is_file, is_folder

    paths = [Path(spec) for spec in specs]
    below = [file for path in paths if is_folder(path) for file in image_files(path)]
    return [*(path for path in paths if is_file(path)), *below]
