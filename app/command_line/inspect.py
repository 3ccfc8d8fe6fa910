"""``imageflow inspect``: run a model or a pipeline on image files, a camera, a watched folder or a video."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
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
from app.command_line.chosen_criteria import read_criteria
from app.command_line.chosen_runner import chosen_runner
from app.command_line.options import JsonOption, ThresholdOption, progress_bar
from app.command_line.reading_options import (
    BitDepthOption,
    PagesOption,
    RangeOption,
    chosen_reading,
    report_transparent,
    require_files,
)
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from inspection.image_quality import QualityGate
    from inspection.imaging.reading import Reading
    from inspection.judging.judgement import Criteria
    from inspection.pipeline import Runner
    from inspection.runs.results import FrameResult
    from inspection.sources import MissedFrames

GateOption = Annotated[
    str | None,
    typer.Option(
        "--gate",
        help="Refuse images out of focus, badly lit or moved, by the bounds of this file, or the usual ones.",
        metavar="FILE|usual",
    ),
]


def inspect_command(
    images: Annotated[
        list[str],
        typer.Argument(
            help="Image files or folders; or one stream: a video file, watch:FOLDER, usb:0, rtsp://…, genicam:ADDRESS.",
            metavar="IMAGE...|SOURCE",
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            help="Model file a step uses, or reference image; NAME=FILE, repeated, where steps use several.",
            metavar="[NAME=]FILE",
        ),
    ] = None,
    pipeline: Annotated[
        Path | None,
        typer.Option(
            "--pipeline",
            help="Pipeline definition (JSON), or one that is ready: aligned-anomaly, anomaly, codes, "
            "codes-and-anomaly, count, detection; without it the one that suits the model.",
            metavar="FILE|NAME",
        ),
    ] = None,
    threshold: ThresholdOption = None,
    criteria: Annotated[
        Path | None,
        typer.Option("--criteria", help="Criteria (JSON) of measurements, codes, colours and detections."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "--output", help="Write an overlay for each image to this folder; what is there stays."),
    ] = None,
    frames: FramesOption = None,
    trigger: TriggerOption = None,
    wait: WaitOption = None,
    gate: GateOption = None,
    bit_depth: BitDepthOption = None,
    value_range: RangeOption = None,
    pages: PagesOption = "refuse",
    as_json: JsonOption = False,
    details: Annotated[
        bool, typer.Option("--details", help="With --json: confidence, reasons, everything found and overlay too.")
    ] = False,
) -> None:
    """Run a model or a pipeline on images, one line of result each: verdict, score, time, reasons and what was found.

    A file that cannot be inspected is reported on stderr, the others are inspected, and the exit code is 1; so it is
    for an overlay that cannot be written. An image that the gate refuses has a line with the reasons and no verdict.

    \b
    Examples:
      imageflow inspect --model m.model parts/
      imageflow inspect --model m.model --json a.png b.png
      imageflow inspect --pipeline p.json --model m.model --out overlays/ parts/
      imageflow inspect --pipeline p.json --model a=m.model --model ref=r.png in/
      imageflow inspect --pipeline codes --criteria lot.json parts/
      imageflow inspect --model m.model --trigger source watch:arriving/
      imageflow inspect --model m.model --gate usual rtsp://camera/live
      imageflow inspect --model m.model --gate gate.json --trigger key usb:0
    """  # noqa: D301 - \b keeps the lines as they are
    reading = chosen_reading(bit_depth, value_range, pages)
    require_files(reading, images[0])
    options = AcquisitionOptions(images[0], frames, trigger, wait, reading)
    if not model and pipeline is None:
        raise typer.BadParameter("give --model, --pipeline or both", param_hint="--model")
    if details and not as_json:
        raise typer.BadParameter("goes with --json", param_hint="--details")
    from inspection.sources import is_stream

    rule = read_criteria(criteria, threshold)
    from_source = any(is_stream(image) for image in images) or not {frames, trigger, wait} <= {None}
    if from_source and len(images) > 1:
        raise typer.BadParameter("a stream is given alone", param_hint="SOURCE")
    request = _Request(pipeline, model or [], rule, gate, out)
    tally = _Tally()

    def show(found: FrameResult) -> None:
        tally.count(found, shown=_show(found, as_json=as_json, details=details))

    if from_source:
        missed = _inspect_source(options, request, show)
        tally.failed = tally.failed or bool(missed is not None and missed.undecoded)
    else:
        _inspect_files(images, request, reading, show)
    tally.report()
    if tally.failed:
        raise typer.Exit(1)


@dataclass
class _Tally:
    """What became of all that was given."""

    given: int = 0
    without_verdict: int = 0
    transparent: int = 0
    failed: bool = False

    def count(self, found: FrameResult, *, shown: bool) -> None:
        self.given += 1
        self.without_verdict += found.result is None and not shown
        self.transparent += found.frame is not None and found.frame.transparent
        self.failed = self.failed or not shown

    def report(self) -> None:
        from app.command_line import warn

        report_transparent(self.transparent)
        if self.without_verdict:
            warn("images-not-inspected", count=self.without_verdict, total=self.given)


@dataclass(frozen=True)
class _Request:
    """The options of the inspection of every frame."""

    pipeline: Path | None
    models: list[str]
    criteria: Criteria
    gate: str | None
    out: Path | None

    def quality_gate(self, *, in_motion: bool) -> QualityGate | None:
        from inspection.image_quality import QualityGate, read_bounds

        return None if self.gate is None else QualityGate(read_bounds(self.gate), in_motion=in_motion)

    def runner(self, reading: Reading) -> tuple[Runner, Reading]:
        return chosen_runner(self.pipeline, self.models, self.criteria, reading)


def _inspect_source(
    options: AcquisitionOptions, request: _Request, show: Callable[[FrameResult], None]
) -> MissedFrames | None:
    """Inspect frame after frame; return how many were missed."""
    from inspection.image_quality import shows_motion
    from inspection.runs.frame_loop import Inspector, inspect_frames
    from inspection.runs.overlay_folder import OverlayFolder

    runner, reading = request.runner(options.reading)
    source = triggered_source(replace(options, reading=reading))
    overlays = None if request.out is None else OverlayFolder(request.out, source.images_folder)
    with source, missed_frames_reported(source):
        gate = request.quality_gate(in_motion=shows_motion(source.source_id))
        inspector = Inspector(runner, request.criteria, gate, overlays)
        for found in inspect_frames(inspector, source, acquire(source, options)):
            show(found)
    return source.missed


def _inspect_files(images: list[str], request: _Request, given: Reading, show: Callable[[FrameResult], None]) -> None:
    """Inspect file after file."""
    from inspection.runs.frame_loop import Inspector, inspect_files
    from inspection.runs.named_files import files_to_inspect
    from inspection.runs.overlay_folder import OverlayFolder
    from models.storage import make_folder

    files = files_to_inspect([Path(image) for image in images], request.out)
    overlays = None if request.out is None else OverlayFolder.for_files(request.out, files)
    if request.out is not None:
        make_folder(request.out)
    gate = request.quality_gate(in_motion=False)
    runner, reading = request.runner(given)
    inspector = Inspector(runner, request.criteria, gate, overlays)
    with progress_bar(phrase("inspecting"), beside_output=True) as advance:
        for number, found in enumerate(inspect_files(inspector, files, reading), start=1):
            show(found)
            advance(phrase("inspecting-of", number=number, total=len(files)), number / len(files))


def _show(found: FrameResult, *, as_json: bool, details: bool) -> bool:
    """Print a result or a refusal, an error on stderr; return False for an error, of the overlay too."""
    from app.command_line import report_error
    from inspection.image_quality import FrameRefused

    if found.error is not None and not isinstance(found.error, FrameRefused):
        report_error(found.error, found.name)
        return False
    typer.echo(json.dumps(found.as_json(details=details), ensure_ascii=False) if as_json else _line(found))
    if found.overlay_error is not None:
        report_error(found.overlay_error, found.name)
    return found.overlay_error is None


def _line(found: FrameResult) -> str:
    from app.command_line import language
    from models.findings import finding_texts
    from models.names import on_one_line
    from models.reasons import reason_text

    result, name = found.result, on_one_line(found.name)
    if result is None:
        why = "" if found.error is None else found.error.text(language()).detail
        return f"--  {name}  {why}"
    score = "" if result.anomaly_score is None else f"  {result.anomaly_score:8.3f} / {result.threshold:.3f}"
    reasons = "".join(f"  {reason_text(reason, language())};" for reason in result.reasons).rstrip(";")
    found_texts = finding_texts(result, language())
    findings = f"  {'; '.join(found_texts)}" if found_texts else ""
    return f"{result.overall_result.value:2}{score}  {found.milliseconds:6.1f} ms  {name}{reasons}{findings}"
