"""``imageflow admin codes``."""

from __future__ import annotations

from typing import Annotated

import typer

from app.command_line.administration.opened_server import checked, opened_server, print_list, show
from app.command_line.options import DataDirOption as DataDir
from app.command_line.options import JsonOption as Json

codes_app = typer.Typer(help="One-time codes that stations enrol with.", no_args_is_help=True)


@codes_app.command("list", epilog="Example: imageflow admin codes list --json")
def list_codes(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List enrolment codes, without the codes themselves."""
    from server.devices.codes import list_codes as page

    columns = ("id", "expires_at", "used_at", "withdrawn_at", "created_by", "device_name")
    print_list(page, columns, data_dir, as_json, add="imageflow admin codes create NAME")


@codes_app.command("withdraw", epilog="Example: imageflow admin codes withdraw 0197c000-0000-7000-8000-00000000c0de")
def withdraw_code(
    code_id: Annotated[str, typer.Argument(help="Id of the code.", metavar="CODE_ID")], data_dir: DataDir = None
) -> None:
    """Withdraw an enrolment code: it becomes invalid at once."""
    from server.devices.codes import withdraw_code as withdraw

    with opened_server(data_dir) as (context, who):
        withdraw(context, who, code_id)
    typer.echo(code_id)


@codes_app.command("create", epilog="Example: imageflow admin codes create 'Line 1, station 3'")
def create_code(
    device_name: Annotated[str, typer.Argument(help="What the new station is called.", metavar="NAME")] = "Station",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a one-time enrolment code; it is shown this once."""
    from server.devices.codes import create_code as create
    from server.devices.schemas import EnrolmentCodeCreate

    with opened_server(data_dir) as (context, who):
        name = checked(lambda: EnrolmentCodeCreate(device_name=device_name)).device_name
        code = create(context, who, name)
    show(code, as_json, code.code)
