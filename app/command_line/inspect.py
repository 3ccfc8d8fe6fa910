"""``imageflow inspect``: run a model or a pipeline on image files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.command_line.options import JsonOption

if TYPE_CHECKING:
    from inspection.batch import FileResult
    from inspection.pipeline import PipelineDefinition


def inspect_command(
    images: Annotated[list[Path], typer.Argument(help="Image files or folders.", metavar="IMAGE...")],
    model: Annotated[Path | None, typer.Option("--model", help="Model file of `imageflow train images`.")] = None,
    pipeline: Annotated[
        Path | None, typer.Option("--pipeline", help="Pipeline definition (JSON); without it resize, anomaly, overlay.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0.0, help="Judge by this threshold, not the model's own.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "--output", help="Write an overlay for each image to this folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a model or a pipeline on images, one line of result each.

    A file that cannot be inspected is told on stderr, the others go on, and the exit code is 1.

    \b
    Examples:
      imageflow inspect --model m.model parts/
      imageflow inspect --model m.model --json a.png b.png
      imageflow inspect --pipeline p.json --model m.model --out overlays/ parts/
    """  # noqa: D301 - \b keeps the lines as they are
    if model is None and pipeline is None:
        raise typer.BadParameter("give --model, --pipeline or both", param_hint="--model")
    if threshold is not None and threshold <= 0:
        raise typer.BadParameter("a threshold is larger than 0", param_hint="--threshold")
    from app.command_line import tell
    from inspection.batch import files_to_inspect, inspect_files
    from inspection.judgement import Criteria
    from inspection.pipeline import Runner

    files = files_to_inspect(images)
    loaded = {}
    if model is not None:
        from inspection.anomaly import load_bundle

        loaded["default"] = load_bundle(model)
    runner = Runner(_definition(pipeline), loaded)
    failed = False
    for found in inspect_files(runner, files, Criteria(threshold=threshold), out):
        if found.error is not None:
            failed = True
            tell(found.error)
        else:
            typer.echo(json.dumps(found.as_json(), ensure_ascii=False) if as_json else _line(found))
    if failed:
        raise typer.Exit(1)


def _definition(path: Path | None) -> PipelineDefinition:
    from inspection.pipeline import PipelineDefinition, default_definition
    from models.errors import InvalidInput, NotFound

    if path is None:
        return default_definition()
    try:
        text = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound("file-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("pipeline-not-json", reason=error.strerror or str(error)) from error
    return PipelineDefinition.parse(text)


def _line(found: FileResult) -> str:
    result = found.result
    if result is None:
        return ""
    score = "" if result.anomaly_score is None else f"  {result.anomaly_score:8.3f} / {result.threshold:.3f}"
    reasons = f"  {', '.join(result.reasons)}" if result.reasons else ""
    return f"{result.overall_result.value:2}{score}  {found.milliseconds:6.1f} ms  {found.path}{reasons}"
