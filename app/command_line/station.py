"""``imageflow station``: the desktop application."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.command_line.display import window_can_open
from app.command_line.options import StoreOption


class LanguageName(StrEnum):
    """Languages of the window."""

    ENGLISH = "en"
    JAPANESE = "ja"


class ThemeChoice(StrEnum):
    """The two calm greys."""

    LIGHT = "light"
    DARK = "dark"


def station_command(
    store: StoreOption = None,
    source: Annotated[
        str,
        typer.Option(
            "--source",
            help="Where images come from: folder, watch:FOLDER, video file, usb:0, rtsp://…, genicam:ADDRESS.",
        ),
    ] = "",
    language: Annotated[LanguageName | None, typer.Option("--language", help="Else that of the settings.")] = None,
    theme: Annotated[ThemeChoice | None, typer.Option("--theme", help="Else that of the settings.")] = None,
) -> None:
    """Open the station's window: sign in, choose what to inspect, inspect part after part.

    Works with and without the server; what is recorded waits here until it can be sent.

    \b
    Examples:
      imageflow station
      imageflow station --source usb:0 --language ja
      imageflow station --store ~/line-2 --source images/ --theme dark
    """  # noqa: D301 - \b keeps the lines as they are
    require_display()
    from app.station.settings import store_folder
    from app.window.shell.run import run_station

    code = run_station(
        store_folder(store),
        source_spec=source,
        language=language.value if language is not None else None,
        theme=theme.value if theme is not None else None,
    )
    if code:
        raise typer.Exit(code)


def require_display() -> None:
    """Check that a window can be shown; Qt would end the process without a word that helps.

    Raises:
        Unavailable: ``window-no-display``.
    """
    from models.errors import Unavailable

    if not window_can_open():
        raise Unavailable("window-no-display")
