"""``imageflow sync conflicts``: edits of this station that lost to newer ones, side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from app.command_line.opened_store import opened_store
from app.command_line.options import JsonOption, StoreOption
from app.command_line.passwords import PasswordStdinOption, read_password
from app.command_line.sync_dead_letters import person
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from sync.station.conflicts import ShownConflict, Side

conflicts_app = typer.Typer(help="Edits that lost to newer ones.", pretty_exceptions_enable=False)

ConflictArgument = Annotated[str, typer.Argument(metavar="CONFLICT_ID", help="As the list shows it.")]


@conflicts_app.callback(invoke_without_command=True)
def list_command(
    context: typer.Context,
    seen: Annotated[bool, typer.Option("--seen", help="Count what is listed as looked at.")] = False,
    every: Annotated[bool, typer.Option("--all", help="List those that were looked at too.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the edits of this station that lost to newer ones: both values, who made them, when, and what holds now.

    With --json one object a line.

    \b
    Examples:
      imageflow sync conflicts
      imageflow sync conflicts --all --json
      imageflow sync conflicts take 0198c0de-… --user sato
      imageflow sync conflicts keep 0198c0de-…
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import warn
    from sync.station.conflicts import keep_theirs, list_conflicts

    if context.invoked_subcommand is not None:
        return
    with opened_store(store, to_write=seen) as workspace:
        with workspace.database.read() as session:
            found = list_conflicts(session, seen=every)
        for conflict in found:
            typer.echo(json.dumps(conflict.as_json(), ensure_ascii=False) if as_json else _lines(conflict))
        if seen and found:
            identifiers = [conflict.id for conflict in found]
            keep_theirs(workspace.database, identifiers, actor=person(), device_id=workspace.device_id)
    if not found and not as_json:
        warn("no-lost-edits")


@conflicts_app.command("keep")
def keep_command(conflict_id: ConflictArgument, store: StoreOption = None) -> None:
    """Leave the value that was kept; the conflict is not listed any more.

    \b
    Examples:
      imageflow sync conflicts keep 0198c0de-…
    """  # noqa: D301 - \b keeps the lines as they are
    from models.errors import NotFound
    from sync.station.conflicts import keep_theirs

    with opened_store(store, to_write=True) as workspace:
        device_id = workspace.require_device()
        if not keep_theirs(workspace.database, [conflict_id], actor=person(), device_id=device_id):
            raise NotFound("conflict-unknown", conflict_id=conflict_id)


@conflicts_app.command("take")
def take_command(
    conflict_id: ConflictArgument,
    user: Annotated[str, typer.Option("--user", help="Who sets the value again: supervisor or admin.")],
    password_stdin: PasswordStdinOption = False,
    store: StoreOption = None,
) -> None:
    """Set the value that lost again: a new edit, which is merged like every other.

    \b
    Examples:
      imageflow sync conflicts take 0198c0de-… --user sato
    """  # noqa: D301 - \b keeps the lines as they are
    from app.station.operations.conflicts import take_mine
    from app.station.operations.sign_in import sign_in

    password = read_password(phrase("password-of", user=user), from_stdin=password_stdin)
    with opened_store(store, to_write=True) as workspace:
        take_mine(workspace, sign_in(workspace, user, password), conflict_id)


def _lines(conflict: ShownConflict) -> str:
    holds = "–" if conflict.holds is None else conflict.holds
    return "\n".join(
        [
            f"{conflict.id}  {conflict.entity} {conflict.called or conflict.entity_id}: {conflict.field}",
            f"  {phrase('conflict-mine')}  {_side(conflict.mine)}",
            f"  {phrase('conflict-theirs')}  {_side(conflict.theirs)}",
            f"  {phrase('conflict-holds')}  {holds}",
        ]
    )


def _side(side: Side) -> str:
    from models.clock import rfc3339

    person = "" if side.has_user else phrase("person-not-known")
    when = rfc3339(side.at) if side.at is not None else phrase("time-not-known")
    made = ", ".join(part for part in (person, side.by or side.device_id, when) if part)
    return f"{side.text}  ({made})"
