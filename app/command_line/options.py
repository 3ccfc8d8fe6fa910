"""Options that mean the same in every command, and the progress bar they share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

StoreOption = Annotated[
    Path | None,
    typer.Option("--store", help="The station's store; else IMAGEFLOW_HOME, else the platform's data folder."),
]
DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", help="The server's data folder; else the platform's data folder.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of text.")]

Advance = Callable[[str, float], None]
"""Called with what is being done and the fraction that is done, 0 to 1."""


@contextmanager
def progress_bar(title: str, seconds_left: bool = True) -> Iterator[Advance]:
    """Show a progress bar on stderr when that is a terminal; otherwise nothing.

    Args:
        title: shown until the first step gives its own.
        seconds_left: whether to show the time that is left.
    """
    if not sys.stderr.isatty():
        yield lambda description, fraction: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = [TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()]
    if seconds_left:
        columns.append(TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=1.0)

        def advance(description: str, fraction: float) -> None:
            progress.update(task, description=description, completed=fraction)

        yield advance
