"""The entries of a folder and everything below it; linked folders are followed, each folder once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

_OF_THE_SYSTEM = frozenset(
    {"lost+found", "System Volume Information", "$RECYCLE.BIN", "@eaDir", "#recycle", "#snapshot", "__MACOSX"}
)
"""Folders of operating systems and network drives; no camera writes to them, and few users may read them."""


OnRefused = Callable[[str, OSError], object]
"""Called with the path and the reason of a folder that cannot be listed; ``""`` for the folder that was given."""


def walk(folder: Path, on_refused: OnRefused) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield what is in a folder and below it, except folders, with its path in the folder, with ``/``.

    Hidden entries and folders of the system are left out. A folder that is reached in several ways, as through a link
    to it or to one above it, is read once: under its own name where it lies in ``folder``, else under the first link.

    Args:
        folder: exists.
        on_refused: called with a folder that cannot be listed.
    """
    for place, entries in _folders(folder, on_refused):
        yield from ((f"{place}/{entry.name}" if place else entry.name, entry) for entry in entries)


def linked_folders(folder: Path) -> set[Path]:
    """Return the folders whose files ``walk`` finds in ``folder``, links resolved; it itself among them."""
    return {Path(os.path.realpath(folder / place)) for place, _ in _folders(folder, lambda _place, _error: None)}


def _folders(folder: Path, on_refused: OnRefused) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
    """Yield each folder with its entries that are no folders."""
    seen: set[tuple[int, int] | str] = set()
    places, links = [""], list[str]()
    while places or links:
        # Links last, so that a folder is found under its own name first.
        place = places.pop() if places else links.pop(0)
        found: list[os.DirEntry[str]] = []
        try:
            identity = _identity(folder / place)
            if identity in seen:
                continue
            seen.add(identity)
            with os.scandir(folder / place) as entries:
                visible = [
                    entry for entry in entries if not entry.name.startswith(".") and entry.name not in _OF_THE_SYSTEM
                ]
        except OSError as error:
            on_refused(place, error)
            continue
        for entry in visible:
            if not _is_folder(entry):
                found.append(entry)
                continue
            name = f"{place}/{entry.name}" if place else entry.name
            (links if entry.is_symlink() else places).append(name)
        links.sort()
        yield place, found


def is_broken_link(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a link whose target does not exist."""
    return entry.is_symlink() and not os.path.exists(entry.path)  # noqa: PTH110 - False where the system gives no answer


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads to itself, or behind a folder that may not be entered.
        return False


def _identity(folder: Path) -> tuple[int, int] | str:
    stat = folder.stat()
    return (stat.st_dev, stat.st_ino) if stat.st_ino else os.path.realpath(folder)
