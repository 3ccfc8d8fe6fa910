"""``imageflow data retention``: deletes old images that the server has."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from app.command_line.opened_store import opened_store
from app.command_line.options import JsonOption, StoreOption, progress_bar
from app.command_line.wording import phrase


def retention_command(
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=36_500, help="Days that images stay; else the setting.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be deleted.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete images and heatmaps older than the setting retention_days, never before the server has them.

    Records stay. Kept are images of parts that are open, on hold or not acknowledged, and what models use. A station
    does this by itself once a day when the setting is given.

    \b
    Examples:
      imageflow data retention --dry-run
      imageflow data retention --days 30 --json
    """  # noqa: D301 - \b keeps the lines as they are
    from app.station.operations.retention import apply_retention

    with opened_store(store, to_write=not dry_run) as workspace, progress_bar(phrase("retention")) as advance:
        report = apply_retention(
            workspace, days=days, dry_run=dry_run, step=lambda done: advance(phrase("retention-done", files=done), None)
        )
    if as_json:
        typer.echo(json.dumps(report.as_json()))
        return
    key = "retention-would-delete" if dry_run else "retention-deleted"
    typer.echo(
        phrase(key, files=report.files, megabytes=f"{report.bytes / 1e6:.1f}", before=f"{report.before:%Y-%m-%d %H:%M}")
    )
    for reason, count in report.kept.items():
        typer.echo(f"  {phrase(f'kept-{reason}')}: {count}")
