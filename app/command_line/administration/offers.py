"""``imageflow admin offers``."""

from __future__ import annotations

from typing import Annotated

import typer

from app.command_line.administration.opened_server import checked, opened_server
from app.command_line.options import DataDirOption as DataDir
from app.command_line.options import JsonOption as Json
from app.command_line.tables import print_json_lines, table_lines

offers_app = typer.Typer(help="Masters that a restore has lost and stations still hold.", no_args_is_help=True)
_COLUMNS = ("entity", "label", "entity_id", "offered_at", "taken_at")


@offers_app.command("list", epilog="Example: imageflow admin offers list --json")
def list_offers(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List what stations offer; parts of a target among them wait at their station until it is taken."""
    from server.sync.offers import list_offers as offered

    with opened_server(data_dir) as (context, _):
        found = [row.model_dump(mode="json") for row in offered(context)]
    if as_json:
        print_json_lines(found)
        return
    typer.echo("\n".join(table_lines(_COLUMNS, [[str(row[name] or "-") for name in _COLUMNS] for row in found])))


@offers_app.command("take", epilog="Example: imageflow admin offers take --all")
def take_offers(
    entity_ids: Annotated[list[str] | None, typer.Argument(help="Ids, as `list` shows them.", metavar="ID")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Take all that are offered.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Take offered masters; they come with the next pass of a station that holds them."""
    from server.sync.offers import take_offers as take
    from server.sync.schemas import OfferChoice

    if everything == bool(entity_ids):
        raise typer.BadParameter("name ids, or give --all", param_hint="ID")
    with opened_server(data_dir) as (context, who):
        choice = checked(lambda: OfferChoice(entity_ids=entity_ids or None))
        for row in take(context, who, choice):
            typer.echo(f"{row.entity} {row.label}")
