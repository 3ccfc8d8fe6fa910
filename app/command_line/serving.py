"""What the commands that serve until they are stopped have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

WRONG_SETTING = 2
"""Exit code of a process that a wrong setting keeps from starting."""

UntilStdinClosesOption = Annotated[bool, typer.Option("--until-stdin-closes", help="Stop when standard input ends.")]


@contextmanager
def wrong_settings_reported() -> Iterator[None]:
    """Report an ``InvalidInput`` of the block and exit with ``WRONG_SETTING``."""
    from app.command_line import report_error
    from models.errors import InvalidInput

    try:
        yield
    except InvalidInput as error:
        report_error(error)
        raise typer.Exit(WRONG_SETTING) from error
