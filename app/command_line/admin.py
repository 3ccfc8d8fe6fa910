"""``imageflow admin``: users, devices, enrolment codes and API keys, on the server's data folder directly."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from server.auth.identity.principal import Principal
    from server.context import ServerContext
    from server.core.paging import PageQuery
    from sync.shared.schemas import Page

from app.command_line.options import DataDirOption as DataDir
from app.command_line.options import JsonOption as Json
from app.command_line.passwords import PasswordStdinOption as PasswordStdin
from app.command_line.passwords import read_password
from app.command_line.tables import table_lines
from models.states import Role

_WRONG_USAGE = 2
_PAGE = 500
_OWNER_ONLY = 0o077
_NO_VALUE = "-"
_ANY_PASSWORD = "-"  # noqa: S105 - stands for one that has still to be typed
_GIVEN_AS = {"username": "NAME", "name": "NAME", "device_name": "NAME", "display_name": "--display-name"}
"""Field of a request → what the command line calls it."""
RowT = TypeVar("RowT", bound="BaseModel")

_EXAMPLES = """\
Users, devices, enrolment codes and API keys of a server.

\b
Examples:
  imageflow admin users add yamada --role inspector
  imageflow admin users add admin --role admin --password-stdin < password.txt
  imageflow admin codes create "Line 1, station 3"
  imageflow admin keys create mes --role integrator --json
"""

admin_app = typer.Typer(help=_EXAMPLES, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
users_app = typer.Typer(help="Users.", no_args_is_help=True)
devices_app = typer.Typer(help="Stations.", no_args_is_help=True)
codes_app = typer.Typer(help="One-time codes that stations enrol with.", no_args_is_help=True)
keys_app = typer.Typer(help="API keys of machines.", no_args_is_help=True)
for _name, _group in (("users", users_app), ("devices", devices_app), ("codes", codes_app), ("keys", keys_app)):
    admin_app.add_typer(_group, name=_name)

Name = Annotated[str, typer.Argument(help="User name.")]
RoleName = Annotated[Role, typer.Option("--role", help="What the user or machine may do.")]


@users_app.command("add", epilog="Example: imageflow admin users add yamada --role inspector")
def add_user(
    name: Name,
    role: RoleName,
    display_name: Annotated[str, typer.Option("--display-name", help="Name for people.")] = "",
    language: Annotated[
        Literal["en", "ja"] | None,
        typer.Option("--language", help="Language of the user; without it that of this terminal."),
    ] = None,
    password_stdin: PasswordStdin = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a user; the password comes from a prompt or from standard input."""
    from app.command_line import language as language_here
    from server.users.schemas import UserCreate
    from server.users.service import create_user

    def user_with(password: str) -> UserCreate:
        spoken = language or language_here()
        return _checked(
            lambda: UserCreate(username=name, role=role, display_name=display_name, language=spoken, password=password)
        )

    user_with(_ANY_PASSWORD)  # What can be refused is refused before anybody types a password or a store is made.
    password = _new_password(password_stdin)
    whole = user_with(password)
    with _server(data_dir, first_password=password) as (context, who):
        user, _ = create_user(context, who, whole)
    _show(user, as_json, f"{user.username} ({user.role.value})")


@users_app.command("list", epilog="Example: imageflow admin users list --json")
def list_users(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List users."""
    from server.users.service import list_users as page

    add = "imageflow admin users add NAME --role ROLE"
    _list(page, ("username", "role", "active", "display_name"), data_dir, as_json, add=add)


@users_app.command("disable", epilog="Example: imageflow admin users disable yamada")
def disable_user(name: Name, data_dir: DataDir = None) -> None:
    """Disable a user and end its sessions."""
    from server.users.schemas import UserUpdate
    from server.users.service import update_user

    with _server(data_dir) as (context, who):
        update_user(context, who, _user_id(context, name), UserUpdate(active=False))
    typer.echo(name)


@users_app.command("password", epilog="Example: imageflow admin users password yamada")
def set_password(name: Name, password_stdin: PasswordStdin = False, data_dir: DataDir = None) -> None:
    """Give a user a new password and end its sessions."""
    from server.users.service import set_password as give

    with _server(data_dir) as (context, who):
        user_id = _user_id(context, name)
        give(context, who, user_id, _new_password(password_stdin))
    typer.echo(name)


@devices_app.command("list", epilog="Example: imageflow admin devices list --json")
def list_devices(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List stations."""
    from server.devices.service import list_devices as page

    add = "imageflow admin codes create NAME"
    _list(page, ("id", "status", "last_seen_at", "name"), data_dir, as_json, add=add)


@devices_app.command("disable", epilog="Example: imageflow admin devices disable 0197c000-0000-7000-8000-00000000d0e1")
def disable_device(
    device_id: Annotated[str, typer.Argument(help="Id of the station.")], data_dir: DataDir = None
) -> None:
    """Disable a station: its tokens become invalid at once."""
    _set_status(device_id, data_dir, active=False)


@devices_app.command("enable", epilog="Example: imageflow admin devices enable 0197c000-0000-7000-8000-00000000d0e1")
def enable_device(
    device_id: Annotated[str, typer.Argument(help="Id of the station.")], data_dir: DataDir = None
) -> None:
    """Enable a station again; it signs in again, its old tokens stay invalid."""
    _set_status(device_id, data_dir, active=True)


@codes_app.command("list", epilog="Example: imageflow admin codes list --json")
def list_codes(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List enrolment codes, without the codes themselves."""
    from server.devices.codes import list_codes as page

    columns = ("id", "expires_at", "used_at", "withdrawn_at", "created_by", "device_name")
    _list(page, columns, data_dir, as_json, add="imageflow admin codes create NAME")


@codes_app.command("withdraw", epilog="Example: imageflow admin codes withdraw 0197c000-0000-7000-8000-00000000c0de")
def withdraw_code(code_id: Annotated[str, typer.Argument(help="Id of the code.")], data_dir: DataDir = None) -> None:
    """Withdraw an enrolment code: it becomes invalid at once."""
    from server.devices.codes import withdraw_code as withdraw

    with _server(data_dir) as (context, who):
        withdraw(context, who, code_id)
    typer.echo(code_id)


@codes_app.command("create", epilog="Example: imageflow admin codes create 'Line 1, station 3'")
def create_code(
    device_name: Annotated[str, typer.Argument(help="What the new station is called.")] = "Station",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a one-time enrolment code; it is shown this once."""
    from server.devices.codes import create_code as create
    from server.devices.schemas import EnrolmentCodeCreate

    with _server(data_dir) as (context, who):
        name = _checked(lambda: EnrolmentCodeCreate(device_name=device_name)).device_name
        code = create(context, who, name)
    _show(code, as_json, code.code)


@keys_app.command("create", epilog="Example: imageflow admin keys create mes --role integrator --json")
def create_key(
    name: Annotated[str, typer.Argument(help="What the machine is called.")],
    role: RoleName,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make an API key; it is shown this once."""
    from server.users.keys import create_key as create
    from server.users.schemas import ApiKeyCreate

    fields: dict[str, Any] = {"name": name, "role": role}
    with _server(data_dir) as (context, who):
        key = create(context, who, _checked(lambda: ApiKeyCreate(**fields)))
    _show(key, as_json, key.key)


@keys_app.command("list", epilog="Example: imageflow admin keys list --json")
def list_keys(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List API keys, without the keys themselves."""
    from server.users.keys import list_keys as page

    columns = ("id", "role", "expires_at", "revoked_at", "created_by", "name")
    _list(page, columns, data_dir, as_json, add="imageflow admin keys create NAME --role integrator")


@keys_app.command("revoke", epilog="Example: imageflow admin keys revoke 0197c000-0000-7000-8000-00000000d0e1")
def revoke_key(key_id: Annotated[str, typer.Argument(help="Id of the key.")], data_dir: DataDir = None) -> None:
    """Withdraw a key: it becomes invalid at once."""
    from server.users.keys import revoke_key as revoke

    with _server(data_dir) as (context, who):
        revoke(context, who, key_id)
    typer.echo(key_id)


def _set_status(device_id: str, data_dir: Path | None, *, active: bool) -> None:
    from models.states import DeviceStatus
    from server.devices.schemas import DeviceUpdate
    from server.devices.service import update_device

    with _server(data_dir) as (context, who):
        status = DeviceStatus.ACTIVE if active else DeviceStatus.DISABLED
        update_device(context, who, device_id, DeviceUpdate(status=status))
    typer.echo(device_id)


@contextmanager
def _server(data_dir: Path | None, *, first_password: str | None = None) -> Iterator[tuple[ServerContext, Principal]]:
    """Open the server's parts; a wrong value or setting ends the command with exit code 2.

    Args:
        data_dir: the server's data folder; None for that of the settings.
        first_password: of a user to add: where there is no store it is made, and reported, unless the password is
            refused; None refuses a folder without a store.
    """
    from app.command_line import report_error
    from models.errors import InvalidInput
    from server.auth.identity.passwords import require_password
    from server.auth.identity.principal import Principal
    from server.context import has_store, open_context, require_store
    from server.core.settings import load_settings

    try:
        os.umask(_OWNER_ONLY)
        settings = load_settings(data_dir=data_dir)
        if first_password is None:
            require_store(settings)
        else:
            require_password(first_password, settings.password_min_length)
        new = not has_store(settings)
        context = open_context(settings)
        if new:
            typer.echo(f"made a new server store in {settings.data_dir}", err=True)
        try:
            yield context, Principal(None, "admin-command", Role.ADMIN, None)
        finally:
            context.close()
    except InvalidInput as error:
        report_error(error)
        raise typer.Exit(_WRONG_USAGE) from error


def _checked(make: Callable[[], RowT]) -> RowT:
    """Return what ``make`` makes; a value that is not allowed is wrong usage, by the name of its option."""
    from pydantic import ValidationError

    from app.command_line import language
    from models.rejections import first_problem

    try:
        return make()
    except ValidationError as error:
        field, reason = first_problem(error)
        hint = _GIVEN_AS.get(field, field) or None
        raise typer.BadParameter(reason.in_language(language()), param_hint=hint) from error


def _new_password(from_stdin: bool) -> str:
    return read_password("Password", from_stdin=from_stdin, confirm=True)


def _user_id(context: ServerContext, name: str) -> str:
    from models.errors import NotFound
    from models.users import user_by_name

    with context.database.read() as session:
        user = user_by_name(session, name)
        if user is None:
            raise NotFound("user-unknown")
        return user.id


def _all(fetch: Callable[[PageQuery], Page[RowT]]) -> list[RowT]:
    from server.core.paging import PageQuery

    rows: list[RowT] = []
    while True:
        page = fetch(PageQuery(len(rows) // _PAGE + 1, _PAGE, ""))
        rows += page.items
        if len(rows) >= page.total_count or not page.items:
            return rows


def _list(
    page: Callable[[ServerContext, PageQuery], Page[RowT]],
    columns: Sequence[str],
    data_dir: Path | None,
    as_json: bool,
    *,
    add: str,
) -> None:
    """Print every record: a table of ``columns``, or JSON; ``add`` is the command that makes the first one."""
    from app.command_line import warn

    with _server(data_dir) as (context, _):
        rows = _all(lambda wanted: page(context, wanted))
    content = [row.model_dump(mode="json") for row in rows]
    if as_json:
        typer.echo(json.dumps(content, ensure_ascii=False))
        return
    cells = [[_NO_VALUE if row[column] is None else str(row[column]) for column in columns] for row in content]
    typer.echo("\n".join(table_lines(columns, cells)))
    if not content:
        warn("list-empty", command=add)


def _show(value: BaseModel, as_json: bool, line: str) -> None:
    typer.echo(value.model_dump_json() if as_json else line)
