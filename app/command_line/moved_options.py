"""Options that became commands of their own: the old spelling is refused with the name of the new command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

_SET_ITEM = "imageflow item threshold ITEM --set VALUE --user NAME --reason TEXT"

MOVED: Mapping[tuple[str, ...], Mapping[str, str]] = {
    ("inspect",): {"--learn-gate": "imageflow gate learn GOOD --out FILE"},
    ("model", "threshold"): {
        "--set": "imageflow model threshold MODEL --try VALUE",
        "--item": "imageflow item threshold ITEM",
        "--store": "imageflow item threshold ITEM --store FOLDER",
        "--apply": _SET_ITEM,
        "--user": _SET_ITEM,
        "--reason": _SET_ITEM,
        "--password-stdin": _SET_ITEM,
        "--reset": "imageflow item threshold ITEM --reset --user NAME --reason TEXT",
    },
}
"""Command → option it had → what to type instead."""


def refuse_moved_options(arguments: Sequence[str], context: Any = None) -> None:
    """Check a command line for options that have moved.

    Args:
        arguments: as typed, without ``imageflow``.
        context: of click, for the usage line.

    Raises:
        typer.BadParameter: for the first one, naming the command that took its place.
    """
    from app.command_line import language
    from models.messages import error_text

    for command, options in MOVED.items():
        if tuple(arguments[: len(command)]) != command:
            continue
        for argument in arguments[len(command) :]:
            if argument == "--":
                break
            name = argument.partition("=")[0]
            if name in options:
                text = error_text("option-moved", {"command": options[name]}, language())
                raise typer.BadParameter(text.explanation, ctx=context, param_hint=name)
