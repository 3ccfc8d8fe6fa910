"""The image files of the files and folders given by name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from inspection.imaging.datasets import image_files, names_folder
from models.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class FileToInspect:
    """An image file, and its name relative to the folder that was given."""

    path: Path
    name: Path


def files_to_inspect(given: Iterable[Path], overlays: Path | None = None) -> list[FileToInspect]:
    """Return the image files of ``given``, in the order given.

    Args:
        given: files and folders.
        overlays: folder for overlays; its contents are left out where it lies within a folder of ``given``, because
            overlays of an earlier run are no images of parts.

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
    excluded = Path(os.path.realpath(overlays))
    if excluded == Path(os.path.realpath(folder)):
        return files
    # A file that is itself a link is an image that was given, wherever it leads.
    kept = [file for file in files if not Path(os.path.realpath(file.path.parent)).is_relative_to(excluded)]
    if not kept:
        raise InvalidInput("folder-without-images", folder=str(folder))
    return kept
