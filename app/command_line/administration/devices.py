"""``imageflow admin devices``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.command_line.administration.opened_server import opened_server, print_list
from app.command_line.options import DataDirOption as DataDir
from app.command_line.options import JsonOption as Json
from app.command_line.tables import print_json_lines, table_lines

devices_app = typer.Typer(help="Stations.", no_args_is_help=True)


@devices_app.command("list", epilog="Example: imageflow admin devices list --json")
def list_devices(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List stations."""
    from server.devices.service import list_devices as page

    add = "imageflow admin codes create NAME"
    print_list(page, ("id", "status", "last_seen_at", "name"), data_dir, as_json, add=add)


@devices_app.command("disable", epilog="Example: imageflow admin devices disable 0197c000-0000-7000-8000-00000000d0e1")
def disable_device(
    device_id: Annotated[str, typer.Argument(help="Id of the station.", metavar="DEVICE_ID")], data_dir: DataDir = None
) -> None:
    """Disable a station: its tokens become invalid at once."""
    _set_status(device_id, data_dir, "disabled")


@devices_app.command("enable", epilog="Example: imageflow admin devices enable 0197c000-0000-7000-8000-00000000d0e1")
def enable_device(
    device_id: Annotated[str, typer.Argument(help="Id of the station.", metavar="DEVICE_ID")], data_dir: DataDir = None
) -> None:
    """Enable a station again; it signs in again, its old tokens stay invalid."""
    _set_status(device_id, data_dir, "active")


@devices_app.command("stores", epilog="Example: imageflow admin devices stores 0197c000-0000-7000-8000-00000000d0e1")
def list_stores(
    device_id: Annotated[str, typer.Argument(help="Id of the station.", metavar="DEVICE_ID")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List the stores that give themselves out as a station; refused: a copy on which you decide."""
    from server.devices.stores import list_stores as stores

    with opened_server(data_dir) as (context, _):
        found = [store.model_dump(mode="json") for store in stores(context, device_id)]
    if as_json:
        print_json_lines(found)
        return
    columns = ("id", "state", "last_seen_at", "parent_id", "decided_by")
    typer.echo("\n".join(table_lines(columns, [[str(row[name] or "-") for name in columns] for row in found])))


@devices_app.command(
    "accept-store",
    epilog="Example: imageflow admin devices accept-store 0197c000-0000-7000-8000-00000000d0e1"
    " 0197c000-0000-7000-8000-0000000005e0",
)
def accept_store(
    device_id: Annotated[str, typer.Argument(help="Id of the station.", metavar="DEVICE_ID")],
    store_id: Annotated[str, typer.Argument(help="Id of the store, as `stores` shows it.", metavar="STORE_ID")],
    data_dir: DataDir = None,
) -> None:
    """Let a store go on as a station's own; the other one is refused from now on and keeps what it has."""
    from server.devices.stores import accept_store as accept

    with opened_server(data_dir) as (context, who):
        accept(context, who, device_id, store_id)
    typer.echo(store_id)


@devices_app.command("revoke", epilog="Example: imageflow admin devices revoke 0197c000-0000-7000-8000-00000000d0e1")
def revoke_device(
    device_id: Annotated[str, typer.Argument(help="Id of the station.", metavar="DEVICE_ID")], data_dir: DataDir = None
) -> None:
    """Revoke a station for good: it wipes its credential and keeps what it has not sent (`imageflow sync export`)."""
    _set_status(device_id, data_dir, "revoked")


def _set_status(device_id: str, data_dir: Path | None, status: str) -> None:
    from models.states import DeviceStatus
    from server.devices.schemas import DeviceUpdate
    from server.devices.service import update_device

    with opened_server(data_dir) as (context, who):
        update_device(context, who, device_id, DeviceUpdate(status=DeviceStatus(status)))
    typer.echo(device_id)
