"""Listing the images of a watched folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from inspection.imaging.files import IMAGE_SUFFIXES
from inspection.sources.arrivals import FileState

_OF_THE_SYSTEM = frozenset({"lost+found", "System Volume Information", "$RECYCLE.BIN"})
"""Folders of the operating system on a drive; no camera writes to them, and few users may read them."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The images of a folder and its sub-folders.

    Attributes:
        files: by their path in the folder, with ``/``.
        refused_folders: sub-folders that cannot be listed, by their path; their images are missing.
        refused_files: images whose state cannot be read, as of a circular link.
    """

    files: dict[str, FileState] = field(default_factory=dict)
    refused_folders: dict[str, OSError] = field(default_factory=dict)
    refused_files: dict[str, OSError] = field(default_factory=dict)


def list_images(folder: Path) -> Listing:
    """Return the image files of a folder and its sub-folders; links to folders are not followed.

    Hidden files and folders, folders of the system and other kinds of file are left out.

    Raises:
        OSError: when the folder itself does not exist or cannot be listed.
    """
    found = Listing()
    places = [""]
    while places:
        place = places.pop()
        try:
            with os.scandir(folder / place) as entries:
                for entry in entries:
                    _add(entry, place, found, places)
        except OSError as error:
            if not place:
                raise
            # A sub-folder that disappeared meanwhile contains no images: no error.
            if not isinstance(error, FileNotFoundError):
                found.refused_folders[place] = error
    return found


def state_of(path: Path) -> FileState | None:
    """Return the state of a file, None when it does not exist.

    Raises:
        OSError: when its state cannot be read.
    """
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return FileState(stat.st_size, stat.st_mtime_ns, (stat.st_dev, stat.st_ino) if stat.st_ino else None)


def _add(entry: os.DirEntry[str], place: str, found: Listing, places: list[str]) -> None:
    if entry.name.startswith(".") or entry.name in _OF_THE_SYSTEM:
        return
    name = f"{place}/{entry.name}" if place else entry.name
    if entry.is_dir(follow_symlinks=False):
        places.append(name)
    elif Path(entry.name).suffix.lower() in IMAGE_SUFFIXES:
        try:
            state = state_of(Path(entry.path)) if entry.is_file() else None
        except OSError as error:
            # Raises where the folder may be listed but none of its entries may be read: then the folder is refused.
            entry.stat(follow_symlinks=False)
            found.refused_files[name] = error
            return
        if state is not None:
            found.files[name] = state
