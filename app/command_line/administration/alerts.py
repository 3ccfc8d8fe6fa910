"""``imageflow admin alerts``."""

from __future__ import annotations

import typer

from app.command_line.administration.opened_server import opened_server
from app.command_line.options import DataDirOption as DataDir

alerts_app = typer.Typer(help="Delivery of alerts.", no_args_is_help=True)


@alerts_app.callback()
def alerts() -> None:
    """Delivery of alerts."""


@alerts_app.command("webhook-key", epilog="Example: imageflow admin alerts webhook-key")
def webhook_key(data_dir: DataDir = None) -> None:
    """Show the key that webhooks are signed with, for the receiver; keep it secret."""
    from server.alerts.webhook import webhook_key as key_of

    with opened_server(data_dir) as (context, _):
        key = key_of(context.settings)
    typer.echo(key)
