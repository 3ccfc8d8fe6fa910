"""``imageflow admin statistics``."""

from __future__ import annotations

import json

import typer

from app.command_line.administration.opened_server import opened_server
from app.command_line.options import DataDirOption as DataDir
from app.command_line.options import JsonOption as Json
from app.command_line.wording import phrase
from models.errors import Conflict

statistics_app = typer.Typer(help="Daily counts that statistics are made of.", no_args_is_help=True)


@statistics_app.command("rebuild", epilog="Example: imageflow admin statistics rebuild")
def rebuild(data_dir: DataDir = None) -> None:
    """Count all sessions again; statistics read the sessions themselves meanwhile."""
    from server.daily_counts.rebuilding import build

    with opened_server(data_dir) as (context, _):
        counted = 0

        def keep(sessions: int, total: int) -> None:
            nonlocal counted
            del total
            counted = sessions

        build(context.database, context.settings.zone, again=True, report=keep)
    typer.echo(phrase("sessions-counted", count=counted))


@statistics_app.command("verify", epilog="Example: imageflow admin statistics verify --json")
def verify(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Compare the counts with the sessions; exit code 1 where they differ."""
    from server.daily_counts.rebuilding import verify as compare

    with opened_server(data_dir) as (context, _):
        found = compare(context.database, context.settings.zone)
    figures = {"sessions": found.sessions, "rows": found.rows, "different": found.different}
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        typer.echo("  ".join(phrase(f"statistics-{name}", count=figure) for name, figure in figures.items()))
    if found.different:
        raise Conflict("daily-counts-different", rows=found.different)
