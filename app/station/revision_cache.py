"""Values kept as long as the records they were made from have not changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Kept(Generic[ValueT]):
    """A value with what it depends on.

    Attributes:
        value: the value.
        revision: of the records it was made from.
        model_names: ids of the model records among them.
    """

    value: ValueT
    revision: tuple[Any, ...]
    model_names: tuple[str, ...]


class RevisionCache(Generic[ValueT]):
    """Keeps a value for each item; the least recently used is dropped. May be used from several threads.

    Args:
        limit: how many values are kept.
    """

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, Kept[ValueT]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, item_id: str) -> Kept[ValueT] | None:
        """Return what is kept for an item; the caller compares its revision."""
        with self._lock:
            kept = self._kept.get(item_id)
            if kept is not None:
                self._kept.move_to_end(item_id)
            return kept

    def keep(self, item_id: str, kept: Kept[ValueT]) -> None:
        """Keep a value for an item in place of the one before."""
        with self._lock:
            self._kept[item_id] = kept
            self._kept.move_to_end(item_id)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Drop every value."""
        with self._lock:
            self._kept.clear()
