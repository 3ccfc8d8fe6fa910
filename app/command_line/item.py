"""``imageflow item``: the inspection items in this station's store and the threshold each is inspected with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.command_line.options import JsonOption, StoreOption, finite_threshold
from app.command_line.passwords import PasswordStdinOption, read_password
from app.command_line.tables import print_json_lines, table_lines
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from app.station.operations.thresholds import ThresholdChange
    from app.station.workspace import Workspace
    from inspection.recipe.thresholds import AppliedThreshold

item_app = typer.Typer(
    help="Items of this station's store: list them, show and set their thresholds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@item_app.command("list")
def list_command(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the inspection items with the threshold each is inspected with on this station.

    \b
    Examples:
      imageflow item list
      imageflow item list --store D:/imageflow --json
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import warn
    from app.command_line.opened_store import opened_store
    from app.station.operations.masters import list_items, list_targets

    with opened_store(store, to_write=False) as workspace:
        found = [(target, item) for target in list_targets(workspace) for item in list_items(workspace, target.id)]
    if as_json:
        listed = [
            {
                "id": item.id,
                "target": target.code,
                "name": item.name,
                "threshold": item.threshold,
                "origin": item.threshold_origin,
            }
            for target, item in found
        ]
        print_json_lines(listed)
        return
    rows = [
        (
            item.id,
            f"{target.code}/{item.name}",
            "-" if item.threshold is None else f"{item.threshold:.4f}",
            phrase(f"origin-{item.threshold_origin}") if item.threshold_origin else "-",
        )
        for target, item in found
    ]
    header = [phrase(f"item-{column}") for column in ("id", "name", "threshold", "origin")]
    typer.echo("\n".join(table_lines(header, rows)))
    if not found:
        warn("no-items")


@item_app.command("threshold")
def threshold_command(
    item: Annotated[str, typer.Argument(help="Id of the item, or its names: TARGET-CODE/ITEM-NAME.", metavar="ITEM")],
    value: Annotated[
        float | None,
        typer.Option("--set", help="Inspect the item with this threshold from now on.", callback=finite_threshold),
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Remove the item's own threshold: the station's or the model's applies.")
    ] = False,
    user: Annotated[str, typer.Option("--user", help="Quality engineer or administrator who changes it.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail.")] = "",
    password_stdin: PasswordStdinOption = False,
    model: Annotated[
        Path | None,
        typer.Option("--model", help="Model file the value was chosen for; else the model the item is inspected with."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the threshold an item is inspected with and its changes; with --set or --reset change it.

    The item's own threshold takes precedence over the station's setting, and that over the model's; one chosen for
    another model is not applied. A change needs no retraining, is audited, and travels to the server and the other
    stations. `imageflow model threshold` shows the effect of a value before it is set.

    \b
    Examples:
      imageflow item threshold PLATE/top
      imageflow item threshold 0197c000-… --json
      imageflow item threshold PLATE/top --set 21.5 --user sato --reason glare
      imageflow item threshold PLATE/top --reset --user sato --reason "new lamp"
    """  # noqa: D301 - \b keeps the lines as they are
    changing = value is not None or reset
    if value is not None and reset:
        raise typer.BadParameter("is either set or reset", param_hint="--reset")
    if changing and not (user and reason.strip()):
        raise typer.BadParameter("a change needs --user and --reason", param_hint="--set" if value else "--reset")
    if not changing and (user or reason or model is not None or password_stdin):
        raise typer.BadParameter(
            "--user, --reason, --model and --password-stdin go with --set or --reset", param_hint="--set"
        )
    from app.command_line.opened_store import opened_store
    from app.station.operations.thresholds import applied_threshold_of, threshold_changes, threshold_json

    digest = None if model is None else _digest_of(model)
    password = read_password(phrase("password-of", user=user), from_stdin=password_stdin) if changing else ""
    with opened_store(store, to_write=changing) as workspace:
        item_id = _item_id(workspace, item)
        if changing:
            _change(workspace, user, password, item_id, value, reason.strip(), digest)
        applied = applied_threshold_of(workspace, item_id)
        changes = threshold_changes(workspace, item_id)
    _warn_skipped(applied)
    if as_json:
        answer: dict[str, Any] = {
            "item": item_id,
            "in_force": threshold_json(applied),
            "changes": [change.as_json() for change in changes],
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    typer.echo(phrase("item-threshold-applied", threshold=format_threshold(applied)))
    for change in changes:
        typer.echo(_format_change(change))


def format_threshold(threshold: AppliedThreshold | None) -> str:
    """Return a threshold with where it comes from, for a person."""
    if threshold is None:
        return phrase("item-threshold-none")
    return phrase("item-threshold-from", value=f"{threshold.value:.4f}", origin=phrase(f"origin-{threshold.origin}"))


def _format_change(change: ThresholdChange) -> str:
    from models.clock import rfc3339

    return phrase(
        "item-threshold-change",
        version=change.version,
        time=rfc3339(change.at),
        actor=change.actor,
        before=format_threshold(change.before),
        after=format_threshold(change.after),
        reason=change.reason,
    )


def _change(
    workspace: Workspace, user: str, password: str, item_id: str, value: float | None, reason: str, digest: str | None
) -> None:
    from app.station.operations.sign_in import sign_in
    from app.station.operations.thresholds import set_item_threshold

    who = sign_in(workspace, user, password)
    set_item_threshold(workspace, who, item_id, value, reason, model_sha256=digest)


def _item_id(workspace: Workspace, given: str) -> str:
    """Return the id of an item given by id or by the names of its target and itself.

    Raises:
        NotFound: ``item-not-listed``, or ``target-unknown``.
    """
    from app.station.operations.item_recipes import find_item
    from app.station.operations.masters import find_target, list_items
    from models.errors import NotFound

    code, slash, name = given.partition("/")
    if slash:
        for item in list_items(workspace, find_target(workspace, code).id):
            if item.name == name:
                return item.id
        raise NotFound("item-not-listed", item=given)
    try:
        with workspace.database.read() as session:
            return find_item(session, given).id
    except NotFound as error:
        raise NotFound("item-not-listed", item=given) from error


def _digest_of(model: Path) -> str:
    """Return the digest by which the store knows the model file."""
    from inspection.anomaly.bundle import read_bundle

    return read_bundle(model).digest


def _warn_skipped(applied: AppliedThreshold | None) -> None:
    """Report on stderr whose thresholds are not applied because they were chosen for another model."""
    from app.command_line import warn

    for origin in applied.skipped if applied is not None else ():
        warn(f"{origin}-threshold-not-applicable")
