"""Options that mean the same in every command, and the progress bar they share."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from app.command_line.progress_lines import ProgressLines
from models.names import LONGEST_NAME, is_plain_text

StoreOption = Annotated[
    Path | None,
    typer.Option("--store", help="The station's store; else IMAGEFLOW_HOME, else the platform's data folder."),
]
DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", help="The server's data folder; else the platform's data folder.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON for a program instead of text; a list is one object a line.")
]
LeaveOutOption = Annotated[
    list[str] | None, typer.Option("--leave-out", help="Column that is no sensor; may be given again.")
]
MissingOption = Annotated[
    list[str] | None,
    typer.Option("--missing", help="Number or text of a missing value, as -999 or Bad; may be given again."),
]
EncodingOption = Annotated[
    str,
    typer.Option("--encoding", help="Character set of the file, as shift_jis or cp1252; else from its bytes."),
]
DecimalOption = Annotated[
    str | None, typer.Option("--decimal", help="Decimal sign, . or , (the other one may separate thousands).")
]
SkipLinesOption = Annotated[
    int | None,
    typer.Option("--skip-lines", min=0, max=100_000, help="Lines before the header, or before the first row without."),
]


def finite_threshold(value: float | None) -> float | None:
    """Reject a value that cannot be a threshold; callback of an option."""
    if value is not None and not (math.isfinite(value) and value > 0):
        raise typer.BadParameter("a threshold is a number larger than 0")
    return value


ThresholdOption = Annotated[
    float | None,
    typer.Option("--threshold", help="Judge by this threshold, not the model's own.", callback=finite_threshold),
]


def plain_name(name: str) -> str:
    """Reject a text that cannot be shown as the name of a model; callback of an option."""
    if len(name) > LONGEST_NAME or not is_plain_text(name):
        raise typer.BadParameter(f"has {LONGEST_NAME} characters at most, all of them printable")
    return name


NameOption = Annotated[str, typer.Option("--name", help="Name of the model, for people.", callback=plain_name)]


def require_new_file(out: Path, read: Collection[Path] = (), *, beside: Collection[Path] = ()) -> None:
    """Refuse, before any work, to write where a folder is or where something would be lost that is no result.

    Args:
        out: what ``--out`` names.
        read: the files the command reads.
        beside: the files it will write beside ``out``.

    Raises:
        typer.BadParameter: when one of the files to write is a folder, is one of those read, by whatever name, or has
            the ending of an image, which was meant for another option.
    """
    from inspection.imaging.formats import IMAGE_SUFFIXES
    from models.storage import is_folder

    used = {_whole(path) for path in read}
    for path in (out, *beside):
        if is_folder(path):
            raise typer.BadParameter(f"{path} is a folder; name a file", param_hint="--out")
        if _whole(path) in used:
            raise typer.BadParameter(f"{path} is read for this; name another file", param_hint="--out")
        if path.suffix.lower() in IMAGE_SUFFIXES:
            raise typer.BadParameter(f"{path} is the name of an image; choose another ending", param_hint="--out")


def _whole(path: Path) -> str:
    """Return the path without links, as the system compares names."""
    return os.path.normcase(os.path.realpath(path))


def warn_skipped(skipped: Mapping[Any, str]) -> None:
    """Report on stderr which images were left out, and how many: file → reason in the user's language."""
    from app.command_line import warn

    for file, reason in skipped.items():
        warn("image-skipped", file=file, reason=reason)
    if skipped:
        warn("images-left-out", count=len(skipped))


Advance = Callable[[str, float | None], None]
"""Called with what is being done and the fraction that is done, 0 to 1; None while nobody knows how much there is."""


@contextmanager
def report_when_stopped(model: Path) -> Iterator[None]:
    """Report on stderr, when Ctrl-C ends a training, that ``model`` was not written; the interruption propagates.

    Nothing is reported when the file was newly written: Ctrl-C came after the work.
    """
    before = _written_at(model)
    try:
        yield
    except KeyboardInterrupt:
        if _written_at(model) == before:
            from app.command_line import warn

            warn("training-stopped", model=model)
        raise


def _written_at(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


@contextmanager
def progress_bar(title: str, *, beside_output: bool = False) -> Iterator[Advance]:
    """Show a progress bar on stderr when that is a terminal, else a line every ten seconds.

    Args:
        title: shown until the first step gives its own.
        beside_output: results are printed meanwhile: nothing where they, on the same terminal or in the same log, show
            the progress.
    """
    at_terminal = sys.stderr.isatty()
    if beside_output and (sys.stdout.isatty() or not at_terminal):
        yield _silent
        return
    if not at_terminal:
        yield ProgressLines(sys.stderr.write).advance
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        # Without a total the bar moves by itself: until the first step is done its duration is unknown.
        task = progress.add_task(title, total=None)

        def advance(description: str, fraction: float | None) -> None:
            if fraction is None:
                progress.update(task, description=description)
            else:
                progress.update(task, description=description, completed=fraction, total=1.0)

        yield advance


def in_fractions(title: str, advance: Advance) -> Callable[[int, int], None]:
    """Return a callback for (done, all) that moves a progress bar."""
    return lambda done, total: advance(title, done / total if total else 1.0)


def _silent(description: str, fraction: float | None) -> None:
    del description, fraction
