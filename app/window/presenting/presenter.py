"""Base of all presenters: what the window asks of a feature beside its screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.window.presenting.context import StationContext


class Presenter:
    """Decides what happens on one feature's screen; knows no Qt."""

    def __init__(self, context: StationContext) -> None:
        self._context = context

    @property
    def is_start(self) -> bool:
        """Whether this screen is shown when the person has not chosen one; of several the first registered is."""
        return False

    @property
    def is_reachable(self) -> bool:
        """Whether the navigation list offers this screen."""
        return True

    def begin(self) -> None:
        """Begin what runs by itself; called once, when the window is shown."""

    def poll(self) -> None:
        """Update what changes by itself; called every two seconds while the window is open."""

    def close(self) -> None:
        """Release what the feature holds, at the end of the window."""
