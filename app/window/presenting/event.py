"""Events of presenters: callbacks, called in order on the calling thread; the Qt-free counterpart of a signal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVarTuple, Unpack

Arguments = TypeVarTuple("Arguments")


class Event(Generic[*Arguments]):
    """A list of callbacks that ``emit`` calls."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Unpack[Arguments]], object]] = []

    def connect(self, callback: Callable[[Unpack[Arguments]], object]) -> None:
        """Call ``callback`` with the arguments of every later ``emit``."""
        self._callbacks.append(callback)

    def disconnect(self, callback: Callable[[Unpack[Arguments]], object]) -> None:
        """Stop calling ``callback``.

        Raises:
            ValueError: when it was not connected.
        """
        self._callbacks.remove(callback)

    def emit(self, *arguments: *Arguments) -> None:
        """Call every callback; one that is connected meanwhile waits for the next time."""
        for callback in tuple(self._callbacks):
            callback(*arguments)
