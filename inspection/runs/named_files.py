"""The image files of the files and folders given by name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from inspection.imaging.datasets import image_files, names_folder
from inspection.runs.overlay_mark import is_overlay
from models.errors import InvalidInput
from models.storage import is_link


@dataclass(frozen=True, slots=True)
class FileToInspect:
    """An image file, and its name relative to the folder that was given."""

    path: Path
    name: Path


def files_to_inspect(given: Iterable[Path], overlays: Path | None = None) -> list[FileToInspect]:
    """Return the image files of ``given``, in the order given.

    Args:
        given: files and folders.
        overlays: folder for overlays; those of an earlier run are left out where they lie within a folder of ``given``,
            because they are no images of parts. Other images in it are parts.

    Raises:
        NotFound: ``folder-missing``; a file that is missing is reported when it is read.
        InvalidInput: ``folder-without-images``, ``folder-not-readable``.
    """
    found: list[FileToInspect] = []
    for path in given:
        if names_folder(path):
            found.extend(_in_folder(path, overlays))
        else:
            found.append(FileToInspect(path, Path(path.name)))
    return found


def _in_folder(folder: Path, overlays: Path | None) -> list[FileToInspect]:
    files = [FileToInspect(image, image.relative_to(folder)) for image in image_files(folder)]
    if overlays is None:
        return files
    written = Path(os.path.realpath(overlays))
    kept = [file for file in files if not (_lies_in(file.path, written) and is_overlay(file.path))]
    if not kept:
        raise InvalidInput("folder-without-images", folder=str(folder))
    return kept


def _lies_in(file: Path, folder: Path) -> bool:
    # A file that is itself a link is an image that was given, wherever it leads.
    return Path(os.path.realpath(file.parent)).is_relative_to(folder) and not is_link(file)
