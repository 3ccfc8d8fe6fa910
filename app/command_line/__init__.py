"""The one command, ``imageflow``: lists its sub-commands, loads only the one that runs, and reports errors."""

from __future__ import annotations

import importlib
import io
import locale
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import cleandoc
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from models.errors import UserFacingError
    from models.messages import Language, LocalText

_COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo_command", "The whole job on sample parts: capture, inspect, verify, store, synchronise, report."),
    "station": ("station_command", "The desktop application."),
    "server": ("server_command", "The central server."),
    "service": ("service_command", "One gRPC service of the server as a process of its own."),
    "worker": ("worker_command", "Runs executions beside the server."),
    "inspect": ("inspect_command", "Run a pipeline or a model on images or a folder."),
    "gate": ("gate_app", "The image-quality gate: learn its bounds from well-taken images."),
    "calibrate": ("calibrate_command", "Millimetres per pixel from an image of a checkerboard."),
    "train": ("train_app", "Train a model: images, detector, sensor."),
    "evaluate": ("evaluate_command", "Measure a model on labelled images."),
    "bench": ("bench_command", "The product's own benchmarks, as a table, JSON or a page."),
    "model": ("model_app", "Look at models; make the backbone ready."),
    "item": ("item_app", "Items of this station's store: list them, show and set their thresholds."),
    "sync": ("sync_app", "Synchronise this station: one pass, status, dead letters."),
    "data": ("data_app", "Look after stored data: verify, back up, restore, delete old images."),
    "admin": ("admin_app", "Users, devices, enrolment codes and API keys of a server."),
}
"""Sub-command → attribute of the module of the same name in this package, and its line in the list."""

_FAILED = 1
_LANGUAGE = "IMAGEFLOW_LANGUAGE"
_AS_IT_IS = "\b"
"""Begins a paragraph whose lines stay as they are."""
_EXAMPLES = """\
Inspection station and central server in one.

\b
Examples:
  imageflow demo       the whole job on sample parts
  imageflow station    the station's window
  imageflow server     the central server
  imageflow train images --good good/ --out m.model
  imageflow inspect --model m.model --json parts/
"""


class _LazyGroup(TyperGroup):
    """Shows all sub-commands without importing them; imports the one that runs."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the real command in place of its placeholder."""
        from app.command_line.moved_options import refuse_moved_options

        refuse_moved_options(args, ctx)
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name in _COMMANDS else command, rest


def load_command(name: str) -> Any:
    """Import the sub-command ``name`` and return it as a click command."""
    attribute, help_line = _COMMANDS[name]
    found = getattr(importlib.import_module(f"app.command_line.{name}"), attribute)
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(name=name)(found)
        found = single
    command = typer.main.get_command(found)
    command.help = command.help or help_line
    _flow(command)
    return command


def _flow(command: Any) -> None:
    """Let the help of a command and those below it wrap where the terminal ends, not where the source text does."""
    paragraphs = cleandoc(command.help or "").split("\n\n")
    command.help = "\n\n".join(
        paragraph if paragraph.startswith(_AS_IT_IS) else " ".join(paragraph.splitlines()) for paragraph in paragraphs
    )
    for below in getattr(command, "commands", {}).values():
        _flow(below)


def command_group() -> TyperGroup:
    """Return the root command."""
    root = typer.Typer(
        cls=_LazyGroup,
        name="imageflow",
        help=_EXAMPLES,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    root.callback()(_root)
    group = typer.main.get_group(root)
    for name, (_, line) in _COMMANDS.items():
        group.add_command(TyperCommand(name=name, help=line))
    return group


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"imageflow {version('imageflow-station')}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    del version


def language() -> Language:
    """Return the language for messages: ``IMAGEFLOW_LANGUAGE``, else the system's; ``"en"`` or ``"ja"``."""
    from models.messages import choose_language

    system = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), None)
    return choose_language(os.environ.get(_LANGUAGE) or system or locale.getlocale()[0])


def _require_known_language() -> None:
    """Check the setting of the language, which not every command reads otherwise.

    Raises:
        InvalidInput: ``settings-invalid`` naming the variable.
    """
    from models.errors import InvalidInput
    from models.messages import LANGUAGES, LocalText

    given = os.environ.get(_LANGUAGE)
    if given and given not in LANGUAGES:
        reason = LocalText.of("value-literal-error", {"expected": ", ".join(LANGUAGES)})
        raise InvalidInput("settings-invalid", file=_LANGUAGE, setting="language", reason=reason)


def main(arguments: list[str] | None = None) -> None:
    """Run ``imageflow``; ends the process with 0 (done), 1 (failed), 2 (wrong usage) or 130 (stopped)."""
    from app.command_line.variables import warn_of_unknown_variables
    from models.errors import UserFacingError

    _print_any_character()
    try:
        _require_known_language()
        warn_of_unknown_variables()
        with _terminated_like_ctrl_c():
            command_group().main(args=arguments, prog_name="imageflow")
    except UserFacingError as error:
        report_error(error)
        sys.exit(_FAILED)


@contextmanager
def _terminated_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM, by which service managers stop a program, end a command as Ctrl-C does.

    By itself it ends Python on the spot: processes it started would go on, temporary files stay.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python lets only the main thread handle signals.
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def _print_any_character() -> None:
    """Let the output take what its encoding cannot hold, as an escape: a ✓ in code page 932, a file name of raw bytes.

    Within JSON the escape of such a file name is the one JSON itself has.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def report_error(error: Any, subject: str = "") -> None:
    """Print a user-facing error on stderr in the user's language: what it is, what happened, what to do.

    Args:
        error: the error.
        subject: what it is about, where there are many: the path of a file.
    """
    from models.names import on_one_line

    text = error.text(language())
    lines = [": ".join(part for part in (on_one_line(subject), text.title, text.detail) if part), text.advice]
    sys.stderr.write("\n".join(line for line in lines if line) + "\n")


def report_line(line: LocalText) -> None:
    """Print on stderr, in the user's language, what a process that goes on does."""
    sys.stderr.write(line.in_language(language()) + "\n")


def warn_about(found: UserFacingError) -> None:
    """Print a user-facing error for which nothing failed, as ``warn`` does."""
    warn(found.code, **found.values)


def warn(code: str, **values: object) -> None:
    """Print on stderr, in the user's language, a warning or a hint: what is the case, and what to do."""
    from models.messages import error_text

    text = error_text(code, values, language())
    sys.stderr.write(text.explanation + "\n")
