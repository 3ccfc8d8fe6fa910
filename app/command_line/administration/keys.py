"""``imageflow admin keys``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.command_line.administration.opened_server import checked, opened_server, print_list, show
from app.command_line.administration.role_option import RoleName
from app.command_line.options import DataDirOption as DataDir
from app.command_line.options import JsonOption as Json
from models.states import ApiScope

Scopes = Annotated[
    list[ApiScope] | None,
    typer.Option("--scope", help="Limit the key to this part of the API, beside its role; may be given again."),
]

keys_app = typer.Typer(help="API keys of machines.", no_args_is_help=True)


@keys_app.command("create", epilog="Example: imageflow admin keys create mes --role integrator --json")
def create_key(
    name: Annotated[str, typer.Argument(help="What the machine is called.", metavar="NAME")],
    role: RoleName,
    scope: Scopes = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make an API key; it is shown this once."""
    from server.users.keys import create_key as create
    from server.users.schemas import ApiKeyCreate

    fields: dict[str, Any] = {"name": name, "role": role, "scopes": scope or []}
    with opened_server(data_dir) as (context, who):
        key = create(context, who, checked(lambda: ApiKeyCreate(**fields)))
    show(key, as_json, key.key)


@keys_app.command("list", epilog="Example: imageflow admin keys list --json")
def list_keys(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List API keys, without the keys themselves."""
    from server.users.keys import list_keys as page

    columns = ("id", "role", "scopes", "expires_at", "revoked_at", "created_by", "name")
    print_list(page, columns, data_dir, as_json, add="imageflow admin keys create NAME --role integrator")


@keys_app.command("revoke", epilog="Example: imageflow admin keys revoke 0197c000-0000-7000-8000-00000000d0e1")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Id of the key.", metavar="KEY_ID")], data_dir: DataDir = None
) -> None:
    """Withdraw a key: it becomes invalid at once."""
    from server.users.keys import revoke_key as revoke

    with opened_server(data_dir) as (context, who):
        revoke(context, who, key_id)
    typer.echo(key_id)
