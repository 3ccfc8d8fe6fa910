"""``imageflow evaluate``: measure a model on labelled images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from app.command_line.options import JsonOption, ThresholdOption, progress_bar


def evaluate_command(
    model: Annotated[Path, typer.Option("--model", help="Model file.")],
    good: Annotated[Path, typer.Option("--good", help="Folder with images of good parts.")],
    defect: Annotated[Path, typer.Option("--defect", help="Folder with images of defects; may hold a folder a class.")],
    masks: Annotated[
        Path | None,
        typer.Option("--masks", help="Folder with masks under the same relative names, .png or _mask.png."),
    ] = None,
    threshold: ThresholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a model on images it was not trained on: AUROC, escapes, overkill, latency.

    \b
    Examples:
      imageflow evaluate --model m.model --good test/good --defect test/defect
      imageflow evaluate --model m.model --good ok/ --defect ng/ --masks masks/
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import language
    from inspection.anomaly import load_bundle
    from inspection.evaluation import evaluate

    loaded = load_bundle(model)
    with progress_bar("Evaluating") as advance:

        def show(done: int, total: int) -> None:
            advance(f"Evaluating {done}/{total}", done / total)

        found = evaluate(loaded, good, defect, masks, threshold=threshold, language=language(), on_progress=show)
    for file, reason in found["skipped"].items():
        typer.echo(f"skipped {file}: {reason}", err=True)
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(_table(found)))


def _table(found: dict[str, Any]) -> list[str]:
    lines = [f"image AUROC  {found['image_auroc']:.4f}"]
    if found["pixel_auroc"] is not None:
        lines.append(f"pixel AUROC  {found['pixel_auroc']:.4f}  ({found['masks']} masks)")
    lines += [
        f"threshold    {found['threshold']:.4f}",
        f"escapes      {_share(found['escapes'])}",
        f"overkill     {_share(found['overkill'])}",
        f"F1           {found['f1']:.4f}",
        f"latency      p50 {found['latency_ms']['p50']:.1f} ms, p95 {found['latency_ms']['p95']:.1f} ms",
    ]
    lines += [f"  {name}: escapes {_share(values['escapes'])}" for name, values in found["classes"].items()]
    return lines


def _share(found: dict[str, Any]) -> str:
    of = f"{found['count']} of {found['total']}"
    return of if found["rate"] is None else f"{of} ({found['rate']:.1%})"
