"""``imageflow data``: looks after what a station or a server has stored."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.command_line.data_backup import backup_command, one_side, restore_command
from app.command_line.data_retention import retention_command
from app.command_line.options import DataDirOption, JsonOption, StoreOption, in_fractions, progress_bar
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from pathlib import Path

    from models.consistency import ConsistencyReport

data_app = typer.Typer(
    help="Look after what a station or a server has stored.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


data_app.command("retention")(retention_command)
data_app.command("backup")(backup_command)
data_app.command("restore")(restore_command)


@data_app.callback()
def _data() -> None:
    """Look after what a station or a server has stored."""


@data_app.command()
def verify(
    store: StoreOption = None,
    data_dir: DataDirOption = None,
    set_aside: Annotated[
        bool,
        typer.Option(
            "--set-aside", help="Of a server: keep damaged files under another name, so that stations send them again."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check a station's store and the demo's practice store beside it, or a server's data with --data-dir.

    Database, audit trail, states and every file by its digest; of a station the outbox, of a server the change log.
    Changes nothing without --set-aside; a station or a server may be running meanwhile. Ends with 1 when anything is
    not as it must be, or where nothing was ever stored.

    \b
    Examples:
      imageflow data verify
      imageflow data verify --store D:/imageflow --json
      imageflow data verify --data-dir /srv/imageflow
      imageflow data verify --data-dir /srv/imageflow --set-aside
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import language

    one_side(store, data_dir)
    if set_aside and data_dir is None:
        raise typer.BadParameter("name the server's data with --data-dir", param_hint="--set-aside")
    reports = _of_station(store) if data_dir is None else [_of_server(data_dir, set_aside)]
    consistent = all(report.consistent for report in reports)
    if as_json:
        stores = [report.as_json(language()) for report in reports]
        typer.echo(json.dumps({"consistent": consistent, "stores": stores}, ensure_ascii=False))
    else:
        for report in reports:
            _print(report, language())
    if not consistent:
        raise typer.Exit(1)


def _of_station(store: Path | None) -> list[ConsistencyReport]:
    from app.station.operations.store_check import check_store
    from app.station.settings import demo_store, store_folder
    from app.station.store_layout import DATABASE
    from models.errors import NotFound

    chosen = store_folder(store)
    there = [folder for folder in (chosen, demo_store(chosen)) if (folder / DATABASE).is_file()]
    if not there:
        raise NotFound("no-store", folder=str(chosen))
    reports = []
    for folder in there:
        with progress_bar(str(folder)) as advance:
            reports.append(check_store(folder, in_fractions(str(folder), advance)))
    return reports


def _of_server(data_dir: Path, set_aside: bool) -> ConsistencyReport:
    from app.command_line.variables import server_settings
    from server.process.verifying import check_server

    with progress_bar(str(data_dir)) as advance:
        return check_server(
            server_settings(data_dir=data_dir), in_fractions(str(data_dir), advance), set_aside=set_aside
        )


def _print(report: ConsistencyReport, language: str) -> None:
    counts = phrase("separator").join(phrase(f"verified-{name}", count=count) for name, count in report.counts.items())
    state = "✓" if report.consistent else "✕"
    typer.echo(f"{state} {report.store}: {counts}")
    for finding in report.findings:
        sys.stderr.write(finding.sentence(language) + "\n")
