"""``imageflow sync enrol-anew``, ``send-all`` and ``export``: when a station changes its server or its identity."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.command_line.opened_store import opened_store
from app.command_line.options import JsonOption, StoreOption
from app.command_line.tables import labelled_lines
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from app.station.workspace import Workspace

YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def enrol_anew_command(
    code: Annotated[str, typer.Option("--code", help="Enrolment code of an administrator.")],
    server: Annotated[str | None, typer.Option("--server", help="Address of the server; else the present one.")] = None,
    name: Annotated[str, typer.Option("--name", help="Name of the new station; else the administrator's.")] = "",
    send_all: Annotated[
        bool, typer.Option("--send-all", help="Also send everything held here that the server lacks.")
    ] = False,
    yes: YesOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make this computer a new station: after its disk was copied, after it was revoked, or at a server made anew.

    What was not sent goes under the new station. At the same server the rest stays the former station's; at another
    server all that was recorded here becomes the new station's, and is sent there with --send-all.

    \b
    Examples:
      imageflow sync enrol-anew --server https://new.example --code ABCD-EFGH
      imageflow sync enrol-anew --code ABCD-EFGH --send-all --yes
    """  # noqa: D301 - \b keeps the lines as they are
    from app.station.operations.enrolment import enrol_anew
    from app.station.settings import store_folder
    from app.station.workspace import Workspace

    with Workspace.open(store_folder(store)) as workspace:
        _show_held(workspace)
        _confirm(yes)
        done = enrol_anew(workspace, server_url=server, code=code, name=name, send_all=send_all)
    if send_all:
        typer.echo(phrase("send-all-next"), err=True)
    if as_json:
        typer.echo(json.dumps({"device_id": done.device_id, "credential": done.credential}))
        return
    typer.echo(done.device_id)
    if done.credential is not None:
        typer.echo(phrase("enrolled-credential", credential=done.credential))


def send_all_command(yes: YesOption = False, store: StoreOption = None) -> None:
    """Let the next pass send everything held here that the server lacks: records, masters, images.

    What the server has already is not sent. Masters wait there until an administrator takes them.

    \b
    Examples:
      imageflow sync send-all
      imageflow sync send-all --yes
    """  # noqa: D301 - \b keeps the lines as they are
    from sync.station.comparing import begin_comparison

    with opened_store(store, to_write=True) as workspace:
        workspace.require_device()
        _show_held(workspace)
        _confirm(yes)
        with workspace.database.transaction() as session:
            begin_comparison(session)
    typer.echo(phrase("send-all-next"), err=True)


def export_command(
    out: Annotated[Path, typer.Option("--out", "--output", help="Folder to make; it must be new or empty.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what the server has not acknowledged to a folder: changes one JSON object a line, images by their digests.

    \b
    Examples:
      imageflow sync export --out E:/unsent
    """  # noqa: D301 - \b keeps the lines as they are
    from sync.station.export import export_unsent

    with opened_store(store, to_write=False) as workspace:
        done = export_unsent(workspace.database, workspace.blobs, out)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(done)))
        return
    typer.echo(phrase("exported-unsent", folder=out, changes=done.changes, files=done.files))


def _show_held(workspace: Workspace) -> None:
    """Show what is held here before anything is done with it."""
    from app.station.operations.enrolment import held_here
    from models.clock import rfc3339

    held, status = held_here(workspace)
    rows = [(entity, str(count)) for entity, count in held.records.items() if count]
    if held.since is not None:
        rows.append((phrase("held-since"), rfc3339(held.since)))
    files = {"files": held.files, "megabytes": f"{held.file_bytes / 1e6:.1f}"}
    unsent = {"changes": status.waiting + status.dead, "files": status.blobs_waiting}
    rows += [
        (phrase("held-files"), phrase("held-files-value", **files)),
        (phrase("held-unsent"), phrase("held-unsent-value", **unsent)),
    ]
    typer.echo("\n".join(labelled_lines(rows)), err=True)


def _confirm(yes: bool) -> None:
    if not yes:
        typer.confirm(phrase("held-go-on"), abort=True, err=True)
