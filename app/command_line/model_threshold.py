"""``imageflow model threshold``: what a threshold does, and giving one to an item."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.command_line.chosen_pipeline import ViewModelOption, ViewOption, chosen_view
from app.command_line.options import JsonOption, StoreOption, finite_threshold, in_fractions, progress_bar

if TYPE_CHECKING:
    from app.station.operations.thresholds import ThresholdChange
    from inspection.anomaly.bundle import Bundle
    from inspection.anomaly.preprocessing import ImagePreprocessor
    from inspection.anomaly.threshold.effect import Effect, Evidence, Proportion
    from inspection.recipe.thresholds import EffectiveThreshold

_FIRST_HEAD = "for rate"


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table: what the threshold is, and what it does."""

    name: str
    effect: Effect


def threshold_command(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    value: Annotated[
        float | None, typer.Option("--set", help="A threshold to look at, or to apply.", callback=finite_threshold)
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="With --apply: take the item's own threshold away.")] = False,
    method: Annotated[
        Literal["quantile", "tail"], typer.Option("--method", help="Rule for the thresholds in the table.")
    ] = "quantile",
    good: Annotated[Path | None, typer.Option("--good", help="Folder of good images the model has not seen.")] = None,
    defect: Annotated[
        Path | None, typer.Option("--defect", help="Folder of images of defects; may hold a folder a class.")
    ] = None,
    item: Annotated[str | None, typer.Option("--item", help="Id of an inspection item of the store.")] = None,
    store: StoreOption = None,
    apply: Annotated[bool, typer.Option("--apply", help="Give --set to --item; needs --reason and --user.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the audit trail.")] = "",
    user: Annotated[str, typer.Option("--user", help="Quality engineer or administrator who changes it.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    pipeline: ViewOption = None,
    used: ViewModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a threshold does, before anybody sets it; with --apply give it to an inspection item.

    False alarms are counted among the good images that were held out of the training, with a 95 % interval; escapes and
    overkill among the images given, or the defects the model was trained with. The item's threshold goes before the
    station's setting, and that before the model's own; one chosen for another model does not count. Changing it needs
    no retraining and is audited.

    \b
    Examples:
      imageflow model threshold part.model
      imageflow model threshold part.model --set 21.5 --good ok/ --defect ng/
      imageflow model threshold part.model --method tail --json
      imageflow model threshold part.model --good ok/ --pipeline own.json
      imageflow model threshold part.model --item 0197c000-… --set 21.5 \\
          --apply --user sato --reason "overkill on line 2"
    """  # noqa: D301 - \b keeps the lines as they are
    if apply and (item is None or not reason.strip() or not user or (value is None) == (not reset)):
        raise typer.BadParameter("needs --item, --reason, --user and either --set or --reset", param_hint="--apply")
    if not apply and (reset or reason or user):
        raise typer.BadParameter("--reset, --reason and --user go with --apply", param_hint="--apply")
    if item is None and store is not None:
        raise typer.BadParameter("goes with --item", param_hint="--store")
    from app.command_line import advise
    from app.station.operations.thresholds import threshold_json
    from inspection.anomaly.bundle import read_bundle
    from inspection.anomaly.threshold.effect import candidates, effect
    from inspection.detection.model_file.bundle import DETECTION_KINDS
    from inspection.model_files.archive import archive_kind
    from models.errors import InvalidInput

    if archive_kind(model) in DETECTION_KINDS:
        raise InvalidInput("detector-threshold", name=model.name)
    bundle = read_bundle(model)
    evidence = _evidence(bundle, model, good, defect, chosen_view(pipeline, used or []))
    rows = [_Row(f"{found.nominal_rate:.1%}", found) for found in candidates(evidence, method)]
    rows.append(_Row("model", effect(bundle.manifest.threshold.value, evidence)))
    held = None if item is None else _held(store, item)
    if held is not None and held.origin != "model":
        rows.append(_Row(held.origin, effect(held.value, evidence)))
    if value is not None:
        rows.append(_Row("set", effect(value, evidence)))
    change = None
    if apply and item is not None:
        change = _applied(store, user, _password(user, password_stdin), item, value, reason.strip(), bundle.digest)
    if as_json:
        answer = {
            "model": str(model),
            "method": method,
            "thresholds": [{"name": row.name, **row.effect.as_json()} for row in rows],
            "in_force": threshold_json(held),
            "change": change.as_json() if change else None,
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    typer.echo("\n".join(_table(rows)))
    if any(row.effect.sample_too_small for row in rows):
        advise("rate-assumed", count=len(evidence.held_out))
    _tell_skipped(held)
    if held is not None and change is None:
        typer.echo(f"In force for the item: {held.value:.4f} (from the {held.origin}).")
    if change is not None:
        typer.echo(f"Changed (version {change.version}): {_told(change.before)} → {_told(change.after)}.")


def _evidence(bundle: Bundle, model: Path, good: Path | None, defect: Path | None, view: ImagePreprocessor) -> Evidence:
    """Return the scores to see effects on; images of no use, or after other steps, are told on stderr."""
    from app.command_line import advise_of, tell
    from inspection.anomaly.threshold.evidence import gather_evidence
    from inspection.pipeline import preprocessing_mismatch

    if good is not None or defect is not None:
        mismatch = preprocessing_mismatch(bundle.manifest, model.name, bundle.digest, view.record)
        if mismatch is not None:
            advise_of(mismatch.error())
    with progress_bar("Scoring") as advance:
        evidence, skipped = gather_evidence(bundle, model.name, good, defect, in_fractions("Scoring", advance), view)
    for path, error in skipped.items():
        tell(error, str(path))
    return evidence


def _tell_skipped(held: EffectiveThreshold | None) -> None:
    """Say on stderr whose thresholds do not count because they were chosen for another model."""
    from app.command_line import advise

    for origin in held.skipped if held is not None else ():
        advise(f"{origin}-threshold-not-applicable")


def _held(store: Path | None, item_id: str) -> EffectiveThreshold | None:
    """Return the threshold that holds for the item on this station."""
    from app.command_line.opened_store import opened_store
    from app.station.operations.thresholds import threshold_in_force

    with opened_store(store, to_write=False) as workspace:
        return threshold_in_force(workspace, item_id)


def _applied(
    store: Path | None, user: str, password: str, item_id: str, value: float | None, reason: str, digest: str
) -> ThresholdChange:
    from app.command_line.opened_store import opened_store
    from app.station.operations.sign_in import sign_in
    from app.station.operations.thresholds import set_item_threshold

    with opened_store(store, to_write=True) as workspace:
        who = sign_in(workspace, user, password)
        return set_item_threshold(workspace, who, item_id, value, reason, model_sha256=digest)


def _password(user: str, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt(f"Password of {user}", hide_input=True, err=True))


def _table(rows: Iterable[_Row]) -> list[str]:
    together = _together(rows)
    width = max(len(_FIRST_HEAD), *(len(row.name) for row in together))
    lines = [f"{_FIRST_HEAD:>{width}}  {'threshold':>10}  {'false alarms, held out':34} {'escapes':34} overkill"]
    for row in together:
        found = row.effect
        star = "*" if found.sample_too_small else " "
        lines.append(
            f"{row.name:>{width}}{star} {found.value:10.4f}  {_share(found.false_alarms):34} "
            f"{_share(found.escapes):34} {_share(found.overkill)}".rstrip()
        )
    return lines


def _together(rows: Iterable[_Row]) -> list[_Row]:
    """Tell in one row, under all their names, what gives the same threshold: it does the same."""
    shown: dict[float, _Row] = {}
    for row in rows:
        first = shown.get(row.effect.value)
        shown[row.effect.value] = row if first is None else _Row(f"{first.name}, {row.name}", first.effect)
    return list(shown.values())


def _share(share: Proportion | None) -> str:
    if share is None:
        return "-"
    return f"{share.count} of {share.total}, {share.rate:.1%} ({share.low:.1%} to {share.high:.1%})"


def _told(threshold: EffectiveThreshold | None) -> str:
    return "none" if threshold is None else f"{threshold.value:.4f} (from the {threshold.origin})"
