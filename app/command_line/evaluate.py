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
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "--output", help="Write a report: a page (.html), or a folder for report.html and evaluation.json."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a model on images it was not trained on: AUROC, AUPRO, F1, escapes, overkill, latency.

    The report shows the curves, the scores with the threshold, what other thresholds would do, and every escape and
    overkill with what the model saw.

    \b
    Examples:
      imageflow evaluate --model m.model --good test/good --defect test/defect
      imageflow evaluate --model m.model --good ok/ --defect ng/ --masks masks/ --out report.html
      imageflow evaluate --model m.model --good ok/ --defect ng/ --json
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import language
    from inspection.anomaly import load_bundle
    from inspection.evaluation import results_of, score_set

    loaded = load_bundle(model)
    place = None
    if out is not None:
        from inspection.evaluation.report import ReportPlace

        place = ReportPlace(out)
        place.require_writable()
    with progress_bar("Evaluating") as advance:

        def show(done: int, total: int) -> None:
            advance(f"Evaluating {done}/{total}", done / total)

        scored = score_set(
            loaded,
            good,
            defect,
            masks,
            threshold=threshold,
            pictures=place is not None,
            language=language(),
            on_progress=show,
        )
    found = results_of(scored)
    if place is not None:
        from inspection.evaluation.report import write_report
        from inspection.evaluation.sections import Sources

        write_report(scored, found, place, Sources(good, defect, masks), language())
    for file, reason in found["skipped"].items():
        typer.echo(f"skipped {file}: {reason}", err=True)
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(_table(found)))
    if place is not None:
        typer.echo(f"report: {place.page}", err=as_json)


def _table(found: dict[str, Any]) -> list[str]:
    lines = [
        _figure("image AUROC", found, "image_auroc"),
        _figure("average prec.", found, "average_precision"),
    ]
    if found["pixel_auroc"] is not None:
        lines.append(f"{_figure('pixel AUROC', found, 'pixel_auroc')}, {found['masks']} masks")
        lines.append(f"{_figure('AUPRO', found, 'aupro')}, {found['regions']} regions")
    best = found["best_f1"]
    lines += [
        f"threshold      {found['threshold']:.4f}",
        f"escapes        {_share(found['escapes'])}{_interval(found, 'escapes')}",
        f"overkill       {_share(found['overkill'])}{_interval(found, 'overkill')}",
        f"{_figure('F1', found, 'f1')}; best {best['f1']:.4f} at {best['threshold']:.4f}",
        f"latency        p50 {found['latency_ms']['p50']:.1f} ms, p95 {found['latency_ms']['p95']:.1f} ms",
    ]
    lines += [f"  {name}: escapes {_share(values['escapes'])}" for name, values in found["classes"].items()]
    return lines


def _figure(title: str, found: dict[str, Any], name: str) -> str:
    return f"{title:<14} {found[name]:.4f}{_interval(found, name)}"


def _interval(found: dict[str, Any], name: str) -> str:
    bounds = found["intervals"].get(name)
    return "" if bounds is None else f"  [95 %: {bounds[0]:.3f}-{bounds[1]:.3f}]"


def _share(found: dict[str, Any]) -> str:
    of = f"{found['count']} of {found['total']}"
    return of if found["rate"] is None else f"{of} ({found['rate']:.1%})"
