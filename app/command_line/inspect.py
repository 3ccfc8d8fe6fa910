"""``imageflow inspect``: run a model or a pipeline on image files, a camera, a watched folder or a video."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.command_line.chosen_models import chosen_models, given_model
from app.command_line.chosen_pipeline import chosen_definition
from app.command_line.inspect_source import FramesOption, GateOption, LearnGateOption, Taking, TriggerOption, WaitOption
from app.command_line.options import JsonOption, ThresholdOption, progress_bar

if TYPE_CHECKING:
    from inspection.judging.judgement import Criteria
    from inspection.model_files.step_models import StepModel
    from inspection.pipeline import PipelineDefinition, Runner
    from inspection.runs.batch import FileResult
    from inspection.runs.streaming import FrameResult


def inspect_command(
    images: Annotated[
        list[str],
        typer.Argument(
            help="Image files or folders; or one source that goes on: a video file, watch:FOLDER, usb:0, rtsp://…, "
            "genicam:ADDRESS.",
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
    learn_gate: LearnGateOption = None,
    as_json: JsonOption = False,
    details: Annotated[
        bool, typer.Option("--details", help="With --json: confidence, reasons, everything found and overlay too.")
    ] = False,
) -> None:
    """Run a model or a pipeline on images, one line of result each: verdict, score, time, reasons and what was found.

    A file that cannot be inspected is told on stderr, the others go on, and the exit code is 1. An image that the gate
    refuses has a line that says why, and no verdict.

    \b
    Examples:
      imageflow inspect --model m.model parts/
      imageflow inspect --model m.model --json a.png b.png
      imageflow inspect --pipeline p.json --model m.model --out overlays/ parts/
      imageflow inspect --pipeline p.json --model a=m.model --model ref=r.png in/
      imageflow inspect --pipeline codes --criteria lot.json parts/
      imageflow inspect --model m.model --trigger source watch:arriving/
      imageflow inspect --model m.model --gate usual rtsp://camera/live
      imageflow inspect --learn-gate gate.json good/
      imageflow inspect --model m.model --gate gate.json --trigger key usb:0
    """  # noqa: D301 - \b keeps the lines as they are
    taking = Taking(images[0], frames, trigger, wait)
    if learn_gate is not None:
        from app.command_line.inspect_source import learn_gate as learn

        learn(images, learn_gate, taking, as_json=as_json)
        return
    if not model and pipeline is None:
        raise typer.BadParameter("give --model, --pipeline or both", param_hint="--model")
    if details and not as_json:
        raise typer.BadParameter("goes with --json", param_hint="--details")
    from inspection.sources import goes_on

    rule = _criteria(criteria, threshold)
    on_source = any(goes_on(image) for image in images) or not {frames, trigger, wait} <= {None}
    if on_source and len(images) > 1:
        raise typer.BadParameter("a source that goes on is given alone", param_hint="SOURCE")
    if on_source:
        from app.command_line.inspect_source import inspect_source

        runner = _runner(pipeline, model or [], rule)

        def show(found: FrameResult) -> None:
            _show(found, found.as_json(details=details) if as_json else None)

        well = inspect_source(taking, runner, rule, show, gate=gate, out=out)
    else:
        chosen = (pipeline, model or [])
        well = _inspect_files([Path(image) for image in images], chosen, rule, out, gate, as_json, details)
    if not well:
        raise typer.Exit(1)


def _inspect_files(
    images: list[Path],
    chosen: tuple[Path | None, list[str]],
    rule: Criteria,
    out: Path | None,
    bounds: str | None,
    as_json: bool,
    details: bool,
) -> bool:
    """Inspect file after file; return whether each could be inspected or was refused by the gate."""
    from app.command_line import tell
    from inspection.image_quality import FrameRefused, QualityGate, read_bounds
    from inspection.runs.batch import files_to_inspect, inspect_files, overlay_paths
    from inspection.runs.streaming import refused_line
    from models.storage import make_folder

    files = files_to_inspect(images, out)
    if out is not None:
        overlay_paths(files, out)
        make_folder(out)
    gate = None if bounds is None else QualityGate(read_bounds(bounds), in_motion=False)
    results = inspect_files(_runner(*chosen, rule), files, rule, out, gate)
    well = True
    with progress_bar("Inspecting", beside_output=True) as advance:
        for number, found in enumerate(results, start=1):
            if isinstance(found.error, FrameRefused):
                _show(found, {"file": str(found.path), **refused_line(found.error)} if as_json else None)
            elif found.error is not None:
                well = False
                tell(found.error, str(found.path))
            else:
                _show(found, found.as_json(details=details) if as_json else None)
            advance(f"Inspecting {number}/{len(files)}", number / len(files))
    return well


def _show(found: FileResult | FrameResult, line: dict[str, Any] | None) -> None:
    """Print a result as the JSON given, else as text."""
    from inspection.runs.streaming import FrameResult

    if line is not None:
        typer.echo(json.dumps(line, ensure_ascii=False))
    else:
        typer.echo(_line(found.as_file_result() if isinstance(found, FrameResult) else found))


def _runner(path: Path | None, given: list[str], rule: Criteria) -> Runner:
    """Make the pipeline ready, and tell what a person should know of it.

    That is when the threshold of the criteria is for none of its models, and when a model was trained on images that
    went through other steps.
    """
    from app.command_line import advise, advise_of
    from inspection.pipeline import Runner, view_mismatches

    definition, models = _chosen(path, given)
    if rule.threshold is not None and rule.threshold_model not in {None, *(model.digest for model in models.values())}:
        advise("criteria-threshold-passed-over")
    runner = Runner(definition, models)
    # Steps that use the same model alike would say the same twice.
    told = {str(error): error for error in (found.error() for found in view_mismatches(runner.pipeline, models))}
    for error in told.values():
        advise_of(error)
    return runner


def _chosen(path: Path | None, given: list[str]) -> tuple[PipelineDefinition, dict[str, StepModel]]:
    """Return the pipeline with its models; without a pipeline the one that suits the kind of the only model."""
    from inspection.model_files.step_models import ModelKind
    from inspection.model_library.loading import load_model
    from inspection.pipeline import default_definition, ready_definition, validate_definition

    only = given_model(given[0], {"default"}) if path is None and len(given) == 1 else None
    if only is not None and only.name in {"", "default"}:
        model = load_model(only.file)
        detects = model.kind in {ModelKind.DETECTOR, ModelKind.CLASSIFIER}
        return ready_definition("detection") if detects else default_definition(), {"default": model}
    definition = default_definition() if path is None else chosen_definition(path)
    return definition, chosen_models(validate_definition(definition).models(), given)


def _criteria(path: Path | None, threshold: float | None) -> Criteria:
    """Read the criteria; the threshold of the command line goes before theirs."""
    from pydantic import ValidationError

    from inspection.judging.judgement import Criteria
    from models.errors import InvalidInput, NotFound
    from models.rejections import rejection

    if path is None:
        return Criteria(threshold=threshold)
    try:
        rule = Criteria.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFound("file-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("criteria-malformed", file=str(path), field="", reason=error.strerror or "") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("criteria-malformed", file=str(path), field=field, reason=rejection(first)) from error
    return rule if threshold is None else rule.model_copy(update={"threshold": threshold, "threshold_model": None})


def _line(found: FileResult) -> str:
    from app.command_line import language
    from models.findings import finding_texts
    from models.reasons import reason_text

    result = found.result
    if result is None:
        why = "" if found.error is None else found.error.text(language()).detail
        return f"--  {found.path}  {why}"
    score = "" if result.anomaly_score is None else f"  {result.anomaly_score:8.3f} / {result.threshold:.3f}"
    reasons = "".join(f"  {reason_text(reason, language())};" for reason in result.reasons).rstrip(";")
    told = finding_texts(result, language())
    findings = f"  {'; '.join(told)}" if told else ""
    return f"{result.overall_result.value:2}{score}  {found.milliseconds:6.1f} ms  {found.path}{reasons}{findings}"
