"""What a feature declares to become part of the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from app.window.look.style_context import StyleContext
from app.window.presenting.context import StationContext
from app.window.presenting.presenter import Presenter
from app.window.widgets.screen import Screen

P = TypeVar("P", bound=Presenter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature(Generic[P]):
    """One feature: a presenter and the screen that shows it.

    What it publishes for other features are classes of ``presenting.messages``; what happens on its own screen are
    ``Event`` attributes of its presenter. Its plain keys are those of the screen's ``feature_actions``.

    Attributes:
        name: of the screen, for ``StationContext.go_to``; the same as of the feature's folder.
        make_presenter: called once, before any screen is made.
        make_screen: called once, with the presenter.
        needs_user: the screen is shown only while somebody is signed in.
        function_key: opens the screen from everywhere, such as ``"F4"``; empty for most features.
        make_status: returns a widget for the bar at the top, which triggers the action of ``function_key``.

    Raises:
        ValueError: ``make_status`` without ``function_key``.
    """

    name: str
    make_presenter: Callable[[StationContext], P]
    make_screen: Callable[[P, StyleContext], Screen]
    needs_user: bool = False
    function_key: str = ""
    make_status: Callable[[P, QAction, StyleContext], QWidget] | None = None

    def __post_init__(self) -> None:
        if self.make_status is not None and not self.function_key:
            raise ValueError(f"{self.name}: make_status needs a function_key, whose action it triggers")
