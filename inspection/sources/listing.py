"""Listing the images of a watched folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from inspection.imaging.folders import is_broken_link, walk
from inspection.imaging.formats import PICTURE_SUFFIXES
from inspection.sources.arrivals import FileState


@dataclass(frozen=True, slots=True)
class Listing:
    """The images of a folder and its sub-folders.

    Attributes:
        files: by their path in the folder, with ``/``.
        refused_folders: sub-folders that cannot be listed, by their path; their images are missing.
        refused_files: images whose state cannot be read, as of a circular link; links that lead nowhere.
    """

    files: dict[str, FileState] = field(default_factory=dict)
    refused_folders: dict[str, OSError] = field(default_factory=dict)
    refused_files: dict[str, OSError] = field(default_factory=dict)


def list_images(folder: Path) -> Listing:
    """Return the files that look like pictures in a folder and its sub-folders; linked folders are followed once each.

    Hidden files and folders, folders of the system and other kinds of file are left out.

    Raises:
        OSError: when the folder itself does not exist or cannot be listed.
    """
    found = Listing()

    def refused(place: str, error: OSError) -> None:
        if not place:
            raise error
        # A sub-folder that disappeared meanwhile contains no images: no error.
        if not isinstance(error, FileNotFoundError):
            found.refused_folders[place] = error

    for name, entry in walk(folder, refused):
        place = name.rpartition("/")[0]
        if place not in found.refused_folders:
            _add(name, entry, found, partial(refused, place))
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


def _add(name: str, entry: os.DirEntry[str], found: Listing, refuse_folder: Callable[[OSError], None]) -> None:
    path = Path(entry.path)
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        if is_broken_link(entry):
            # It may be a folder on a drive that is not connected; an image behind a link is read once it is there.
            found.refused_files[name] = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return
    try:
        state = state_of(path) if entry.is_file() else None
    except OSError as error:
        try:
            # Raises where the folder may be listed but none of its entries may be read: then the folder is refused.
            entry.stat(follow_symlinks=False)
        except OSError as whole:
            refuse_folder(whole)
            return
        found.refused_files[name] = error
        return
    if state is not None:
        found.files[name] = state
