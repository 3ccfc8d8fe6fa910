"""``imageflow admin users``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.command_line.administration.opened_server import checked, opened_server, print_list, show
from app.command_line.administration.role_option import RoleName
from app.command_line.options import DataDirOption as DataDir
from app.command_line.options import JsonOption as Json
from app.command_line.passwords import PasswordStdinOption as PasswordStdin
from app.command_line.passwords import read_password
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from server.context import ServerContext

_ANY_PASSWORD = "-"  # noqa: S105 - stands for one that has still to be typed

users_app = typer.Typer(help="Users.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="User name.", metavar="NAME")]


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
        return checked(
            lambda: UserCreate(username=name, role=role, display_name=display_name, language=spoken, password=password)
        )

    user_with(_ANY_PASSWORD)  # What can be refused is refused before anybody types a password or a store is made.
    password = _new_password(password_stdin)
    whole = user_with(password)
    with opened_server(data_dir, first_password=password) as (context, who):
        user, _ = create_user(context, who, whole)
    show(user, as_json, f"{user.username} ({user.role.value})")


@users_app.command("list", epilog="Example: imageflow admin users list --json")
def list_users(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List users."""
    from server.users.service import list_users as page

    add = "imageflow admin users add NAME --role ROLE"
    print_list(page, ("username", "role", "active", "display_name"), data_dir, as_json, add=add)


@users_app.command("disable", epilog="Example: imageflow admin users disable yamada")
def disable_user(name: Name, data_dir: DataDir = None) -> None:
    """Disable a user and end its sessions."""
    from server.users.schemas import UserUpdate
    from server.users.service import update_user

    with opened_server(data_dir) as (context, who):
        update_user(context, who, _user_id(context, name), UserUpdate(active=False))
    typer.echo(name)


@users_app.command("password", epilog="Example: imageflow admin users password yamada")
def set_password(name: Name, password_stdin: PasswordStdin = False, data_dir: DataDir = None) -> None:
    """Give a user a new password and end its sessions."""
    from server.users.service import set_password as give

    with opened_server(data_dir) as (context, who):
        user_id = _user_id(context, name)
        give(context, who, user_id, _new_password(password_stdin))
    typer.echo(name)


def _new_password(from_stdin: bool) -> str:
    return read_password(phrase("password"), from_stdin=from_stdin, confirm=True)


def _user_id(context: ServerContext, name: str) -> str:
    from models.errors import NotFound
    from models.users import user_by_name

    with context.database.read() as session:
        user = user_by_name(session, name)
        if user is None:
            raise NotFound("user-unknown")
        return user.id
