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
def progress_bar(title: str) -> Iterator[Advance]:
    """Show a progress bar on stderr when that is a terminal; otherwise nothing.

    Args:
        title: shown until the first step gives its own.
    """
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=1.0)

        def advance(description: str, fraction: float) -> None:
            progress.update(task, description=description, completed=fraction)

        yield advance


def in_fractions(title: str, advance: Advance) -> Callable[[int, int], None]:
    """Return a callback for (done, all) that moves a progress bar."""
    return lambda done, total: advance(title, done / total if total else 1.0)


def _silent(description: str, fraction: float) -> None:
    del description, fraction
