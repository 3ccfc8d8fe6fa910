"""The server's parts on its data folder, as the commands of an administrator use and show them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from app.command_line.tables import print_json_lines, table_lines
from app.command_line.wording import phrase
from models.states import Role

if TYPE_CHECKING:
    from pydantic import BaseModel

    from server.auth.identity.principal import Principal
    from server.context import ServerContext
    from server.core.paging import PageQuery
    from sync.shared.schemas import Page

_WRONG_USAGE = 2
_PAGE = 500
_OWNER_ONLY = 0o077
_NO_VALUE = "-"
_GIVEN_AS = {"username": "NAME", "name": "NAME", "device_name": "NAME", "display_name": "--display-name"}
"""Field of a request → what the command line calls it."""
RowT = TypeVar("RowT", bound="BaseModel")


@contextmanager
def opened_server(
    data_dir: Path | None, *, first_password: str | None = None
) -> Iterator[tuple[ServerContext, Principal]]:
    """Open the server's parts; a wrong value or setting ends the command with exit code 2.

    Args:
        data_dir: the server's data folder; None for that of the settings.
        first_password: of a user to add: where there is no store it is made, and reported, unless the password is
            refused; None refuses a folder without a store.
    """
    from app.command_line import report_error
    from app.command_line.variables import server_settings
    from models.errors import InvalidInput
    from server.auth.identity.passwords import require_password
    from server.auth.identity.principal import Principal
    from server.context import has_store, open_context, require_store

    try:
        os.umask(_OWNER_ONLY)
        settings = server_settings(data_dir=data_dir)
        if first_password is None:
            require_store(settings)
        else:
            require_password(first_password, settings.password_min_length)
        new = not has_store(settings)
        context = open_context(settings)
        if new:
            typer.echo(phrase("store-made", folder=settings.data_dir), err=True)
        try:
            yield context, Principal(None, "admin-command", Role.ADMIN, None)
        finally:
            context.close()
    except InvalidInput as error:
        report_error(error)
        raise typer.Exit(_WRONG_USAGE) from error


def checked(make: Callable[[], RowT]) -> RowT:
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


def _all(fetch: Callable[[PageQuery], Page[RowT]]) -> list[RowT]:
    from server.core.paging import PageQuery

    rows: list[RowT] = []
    while True:
        page = fetch(PageQuery(len(rows) // _PAGE + 1, _PAGE, ""))
        rows += page.items
        if len(rows) >= page.total_count or not page.items:
            return rows


def print_list(
    page: Callable[[ServerContext, PageQuery], Page[RowT]],
    columns: Sequence[str],
    data_dir: Path | None,
    as_json: bool,
    *,
    add: str,
) -> None:
    """Print every record: a table of ``columns``, or JSON lines; ``add`` is the command that makes the first one."""
    from app.command_line import warn

    with opened_server(data_dir) as (context, _):
        rows = _all(lambda wanted: page(context, wanted))
    content = [row.model_dump(mode="json") for row in rows]
    if as_json:
        print_json_lines(content)
        return
    cells = [[_cell(row[column]) for column in columns] for row in content]
    typer.echo("\n".join(table_lines(columns, cells)))
    if not content:
        warn("list-empty", command=add)


def _cell(value: object) -> str:
    shown = (", ".join(map(str, value)) or None) if isinstance(value, list) else value
    return _NO_VALUE if shown is None else str(shown)


def show(value: BaseModel, as_json: bool, line: str) -> None:
    """Print ``value`` as JSON, else ``line``."""
    typer.echo(value.model_dump_json() if as_json else line)
