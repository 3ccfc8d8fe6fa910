"""``imageflow sync dead-letters``: the changes the server refused for good, listed, mended, sent again or given up."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.command_line.opened_store import opened_store
from app.command_line.options import JsonOption, StoreOption
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from sync.station.dead_letters import DeadLetter
    from sync.station.dropping import Consequences

dead_letters_app = typer.Typer(
    help="Changes the server refused for good.", no_args_is_help=True, pretty_exceptions_enable=False
)

ChangeArgument = Annotated[str, typer.Argument(metavar="CHANGE_ID", help="As `dead-letters list` shows it.")]


@dead_letters_app.command("list")
def list_letters(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the changes the server refused, with the reason and what to do next; one JSON object a line with --json.

    \b
    Examples:
      imageflow sync dead-letters list
      imageflow sync dead-letters list --json
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import warn
    from sync.station.dead_letters import list_dead_letters

    with opened_store(store, to_write=False) as workspace, workspace.database.read() as session:
        letters = list_dead_letters(session)
    for letter in letters:
        typer.echo(_json(letter) if as_json else _lines(letter))
    if not letters and not as_json:
        warn("no-refused-changes")


@dead_letters_app.command()
def show(change_id: ChangeArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Show one refused change with all its fields; those that can be mended are marked with a star.

    \b
    Examples:
      imageflow sync dead-letters show 0198c0de-…
    """  # noqa: D301 - \b keeps the lines as they are
    from sync.station.dead_letters import find_dead_letter

    with opened_store(store, to_write=False) as workspace, workspace.database.read() as session:
        letter = find_dead_letter(session, change_id)
    if as_json:
        typer.echo(_json(letter))
        return
    typer.echo(_lines(letter))
    width = max((len(field.name) for field in letter.shown_fields), default=0)
    for field in letter.shown_fields:
        typer.echo(f"  {'*' if field.mendable else ' '} {field.name:{width}}  {field.text}")


@dead_letters_app.command()
def export(
    out: Annotated[Path, typer.Option("--out", "--output", help="File to write, one JSON object a line.")],
    store: StoreOption = None,
) -> None:
    """Write the refused changes to a file.

    \b
    Examples:
      imageflow sync dead-letters export --out refused.jsonl
    """  # noqa: D301 - \b keeps the lines as they are
    from sync.station.dead_letters import export_dead_letters

    with opened_store(store, to_write=False) as workspace:
        count = export_dead_letters(workspace.database, out)
    typer.echo(phrase("letters-written", count=count, file=out), err=True)


@dead_letters_app.command()
def resend(
    change_id: Annotated[
        str | None, typer.Argument(metavar="[CHANGE_ID]", help="As `dead-letters list` shows it.")
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A field with its right value; may be given again."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them, as they are.")] = False,
    code: Annotated[str | None, typer.Option("--code", help="With --all: only those refused for this reason.")] = None,
    store: StoreOption = None,
) -> None:
    """Put refused changes back into the outbox, one with fields mended or all of them; they go with the next pass.

    \b
    Examples:
      imageflow sync dead-letters resend 0198c0de-…
      imageflow sync dead-letters resend 0198c0de-… --set code=PLATE-2
      imageflow sync dead-letters resend --all --code sync-user-not-here
    """  # noqa: D301 - \b keeps the lines as they are
    from sync.station import resending
    from sync.station.dead_letters import find_dead_letter

    if every == (change_id is not None):
        raise typer.BadParameter("name one change, or give --all")
    if every and values:
        raise typer.BadParameter("mends one change; name it", param_hint="--set")
    if code is not None and not every:
        raise typer.BadParameter("goes with --all", param_hint="--code")
    with opened_store(store, to_write=True) as workspace:
        database, device_id = workspace.database, workspace.require_device()
        if change_id is None:
            count = resending.resend_all(database, code, actor=person(), device_id=device_id)
            typer.echo(phrase("letters-resent", count=count), err=True)
            return
        with database.read() as session:
            letter = find_dead_letter(session, change_id)
        fields = _fields(letter, values or ())
        new = resending.resend(database, change_id, fields, actor=person(), device_id=device_id)
    typer.echo(phrase("letter-resent", change_id=new), err=True)


@dead_letters_app.command()
def drop(
    change_id: ChangeArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the audit trail.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needed where nobody can answer.")] = False,
    store: StoreOption = None,
) -> None:
    """Give a refused change up, after a question; what it was is kept in the audit trail.

    Where it would have made a record, everything that names that record goes with it: the server would refuse it for
    ever. The question says what that is. Parts and images stay in this store.

    \b
    Examples:
      imageflow sync dead-letters drop 0198c0de-… --reason "made by mistake"
    """  # noqa: D301 - \b keeps the lines as they are
    from sync.station.dead_letters import find_dead_letter
    from sync.station.dropping import consequences
    from sync.station.dropping import drop as give_up

    with opened_store(store, to_write=True) as workspace:
        device_id = workspace.require_device()
        with workspace.database.read() as session:
            letter = find_dead_letter(session, change_id)
            goes = consequences(session, change_id)
        if not yes:
            _ask(letter, goes)
        give_up(workspace.database, change_id, actor=person(), device_id=device_id, reason=reason, agreed=goes)
    typer.echo("\n".join([phrase("letter-dropped"), *_with_it(goes)]), err=True)


def person() -> str:
    """Return the name of who is at the command line, for the audit trail."""
    try:
        return getpass.getuser()[:64]
    except (OSError, KeyError, ImportError):
        return "command-line"


def _ask(letter: DeadLetter, goes: Consequences) -> None:
    """Ask at the terminal whether a change is to be given up."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody can be asked here; add --yes to drop it", param_hint="--yes")
    typer.echo("\n".join([_lines(letter), *_with_it(goes)]), err=True)
    typer.confirm(phrase("letter-drop"), abort=True, err=True)


def _with_it(goes: Consequences) -> list[str]:
    """Return a line about what goes with a change, none when nothing does."""
    if not goes.changes:
        return []
    records = ", ".join(f"{count} {entity}" for entity, count in goes.records.items())
    return [phrase("letter-with-it", count=goes.changes) + (f": {records}" if records else "")]


def _lines(letter: DeadLetter) -> str:
    from app.command_line import language

    reason = letter.reason(language())
    behind = phrase("letter-held-back", count=letter.held_back) if letter.held_back else ""
    lines = [
        f"{letter.change_id}  {letter.op} {letter.entity} {letter.entity_id}{behind}",
        f"  {letter.code}: {reason.title}. {reason.detail}",
        f"  → {reason.advice}",
    ]
    return "\n".join(line for line in lines if line.strip(" →"))


def _json(letter: DeadLetter) -> str:
    return json.dumps(letter.as_json(), ensure_ascii=False)


def _fields(letter: DeadLetter, texts: Sequence[str]) -> dict[str, Any]:
    from sync.station.mending import value_of

    fields = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{text!r} is not FIELD=VALUE", param_hint="--set")
        fields[name] = value_of(letter.entity, name, value)
    return fields
