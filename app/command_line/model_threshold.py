"""``imageflow model threshold``: the effect of a model's threshold and of others."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.command_line.chosen_pipeline import PreprocessingModelOption, PreprocessingPipelineOption, chosen_preprocessing
from app.command_line.options import JsonOption, finite_threshold, in_fractions, progress_bar
from app.command_line.tables import table_lines
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from inspection.anomaly.bundle import Bundle
    from inspection.anomaly.preprocessing import ImagePreprocessor
    from inspection.anomaly.threshold.effect import Effect, Evidence, Proportion

# Names of rows for a program; those of the others are rates.
_OWN, _TRIED = _NAMED = ("model", "tried")


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table: what the threshold is, and what it does."""

    name: str
    effect: Effect


def _finite_thresholds(values: list[float] | None) -> list[float] | None:
    for value in values or ():
        finite_threshold(value)
    return values


def threshold_command(
    model: Annotated[Path, typer.Argument(help="Model file.", metavar="MODEL")],
    tried: Annotated[
        list[float] | None,
        typer.Option("--try", help="Show this threshold too; may be given again.", callback=_finite_thresholds),
    ] = None,
    method: Annotated[
        Literal["quantile", "tail"], typer.Option("--method", help="Rule for the thresholds in the table.")
    ] = "quantile",
    good: Annotated[Path | None, typer.Option("--good", help="Folder of good images the model has not seen.")] = None,
    defect: Annotated[
        Path | None, typer.Option("--defect", help="Folder of images of defects; may hold a folder a class.")
    ] = None,
    pipeline: PreprocessingPipelineOption = None,
    used: PreprocessingModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the effect of a model's threshold and of others; changes nothing.

    False alarms are counted among the good images that were held out of the training, with a 95 % interval; escapes and
    overkill among the images given, or the defects the model was trained with. `imageflow item threshold` sets the
    threshold an item is inspected with. An image that cannot be scored is reported on stderr and left out; then the
    exit code is 1.

    \b
    Examples:
      imageflow model threshold part.model
      imageflow model threshold part.model --try 21.5 --good ok/ --defect ng/
      imageflow model threshold part.model --method tail --json
      imageflow model threshold part.model --good ok/ --pipeline own.json
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import warn
    from inspection.anomaly.bundle import read_bundle
    from inspection.anomaly.threshold.effect import candidates, effect
    from inspection.detection.model_file.bundle import DETECTION_KINDS
    from inspection.model_files.archive import archive_kind
    from models.errors import InvalidInput

    if archive_kind(model) in DETECTION_KINDS:
        raise InvalidInput("detector-threshold", name=model.name)
    bundle = read_bundle(model)
    evidence, complete = _evidence(bundle, model, good, defect, chosen_preprocessing(pipeline, used or []))
    rows = [_Row(f"{found.nominal_rate:.1%}", found) for found in candidates(evidence, method)]
    rows.append(_Row(_OWN, effect(bundle.manifest.threshold.value, evidence)))
    rows += [_Row(_TRIED, effect(value, evidence)) for value in tried or ()]
    if as_json:
        answer = {
            "model": str(model),
            "method": method,
            "thresholds": [{"name": row.name, **row.effect.as_json()} for row in rows],
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        typer.echo("\n".join(_table(rows)))
        if any(row.effect.sample_too_small for row in rows):
            warn("rate-assumed", count=len(evidence.held_out))
    if not complete:
        raise typer.Exit(1)


def _evidence(
    bundle: Bundle, model: Path, good: Path | None, defect: Path | None, preprocessor: ImagePreprocessor
) -> tuple[Evidence, bool]:
    """Return the scores that effects are counted on, and whether every image given has one.

    Unusable images and preprocessing are reported on stderr.
    """
    from app.command_line import report_error, warn, warn_about
    from inspection.anomaly.threshold.evidence import gather_evidence
    from inspection.pipeline import preprocessing_mismatch

    if good is not None or defect is not None:
        mismatch = preprocessing_mismatch(bundle.manifest, model.name, bundle.digest, preprocessor.record)
        if mismatch is not None:
            warn_about(mismatch.error())
    with progress_bar(phrase("scoring")) as advance:
        evidence, skipped = gather_evidence(
            bundle, model.name, good, defect, in_fractions(phrase("scoring"), advance), preprocessor
        )
    for path, error in skipped.items():
        report_error(error, str(path))
    if skipped:
        warn("images-left-out", count=len(skipped))
    return evidence, not skipped


def _table(rows: Iterable[_Row]) -> list[str]:
    header = [phrase(f"threshold-{column}") for column in ("for-rate", "value", "false-alarms", "escapes", "overkill")]
    lines = [
        [
            f"{row.name}{'*' if row.effect.sample_too_small else ''}",
            f"{row.effect.value:.4f}",
            _share(row.effect.false_alarms),
            _share(row.effect.escapes),
            _share(row.effect.overkill),
        ]
        for row in _together(rows)
    ]
    return table_lines(header, lines)


def _together(rows: Iterable[_Row]) -> list[_Row]:
    """Join rows of equal thresholds under all their names, in the user's language."""
    shown: dict[float, _Row] = {}
    for row in rows:
        name = phrase(f"threshold-{row.name}") if row.name in _NAMED else row.name
        first = shown.get(row.effect.value)
        shown[row.effect.value] = _Row(name if first is None else f"{first.name}, {name}", row.effect)
    return list(shown.values())


def _share(share: Proportion | None) -> str:
    if share is None:
        return "-"
    return phrase(
        "threshold-share",
        count=share.count,
        total=share.total,
        rate=f"{share.rate:.1%}",
        low=f"{share.low:.1%}",
        high=f"{share.high:.1%}",
    )
