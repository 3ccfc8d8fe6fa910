"""Folders of images, labelled by their sub-folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from inspection.imaging.folders import is_broken_link, walk
from inspection.imaging.formats import PICTURE_SUFFIXES, is_picture_by_content
from models.errors import InvalidInput, NotFound
from models.storage import is_folder, is_link, is_there, reason_of

_GOOD_PREFIXES = ("ok", "normal")


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image file and its label, the name of its sub-folder; None directly in the folder."""

    path: Path
    label: str | None

    @property
    def good(self) -> bool | None:
        """Whether the label names good parts; None without a label."""
        return None if self.label is None else is_good(self.label)


def is_good(label: str) -> bool:
    """Return whether a label names good parts: ``good``, ``ok…`` and ``normal…``; any other is a class of defect."""
    folded = label.casefold()
    return folded == "good" or folded.startswith(_GOOD_PREFIXES)


def label_of(path: Path, root: Path) -> str | None:
    """Return the first sub-folder of ``root`` that ``path`` lies in, or None when it lies in ``root`` itself."""
    parts = path.relative_to(root).parts
    return parts[0] if len(parts) > 1 else None


def names_folder(path: Path) -> bool:
    """Return whether a path given by name is a folder, or where there is nothing, reads as one: without a suffix.

    A link that leads nowhere is none: the error of reading it names its target.
    """
    return is_folder(path) or not (is_there(path) or path.suffix or is_link(path))


def image_files(folder: Path) -> list[Path]:
    """Return every file in ``folder`` and below that looks like a picture, by its path in code-point order.

    Pictures of kinds that are not read, videos and links that lead nowhere are among them: the error of reading one
    names the reason. A file without a known ending, such as a backup, is one where it begins like a picture. Hidden
    files and files of other kinds are skipped.

    Raises:
        NotFound: ``folder-missing``.
        InvalidInput: ``folder-not-readable`` when it or a folder in it cannot be listed,
            ``folder-without-images``.
    """
    if not is_folder(folder):
        raise NotFound("folder-missing", folder=str(folder))

    def not_readable(place: str, error: OSError) -> NoReturn:
        # A search that would skip a folder silently stops: its images would be missing in the result.
        raise InvalidInput("folder-not-readable", folder=str(folder / place), reason=reason_of(error)) from error

    found = []
    for name, entry in walk(folder, not_readable):
        path = folder / name
        if path.suffix.lower() in PICTURE_SUFFIXES:
            _require_entered(path, name, not_readable)
            found.append(path)
        elif is_broken_link(entry) or is_picture_by_content(path):
            # A broken link may be to a folder on a drive that is not connected.
            found.append(path)
    if not found:
        raise InvalidInput("folder-without-images", folder=str(folder))
    return sorted(found)


def _require_entered(path: Path, name: str, not_readable: Callable[[str, OSError], NoReturn]) -> None:
    """Refuse the folder of a file where it may be listed but nothing in it may be read."""
    try:
        path.lstat()
    except PermissionError as error:
        not_readable(name.rpartition("/")[0], error)
    except OSError:
        # Removed just now: reading it raises the error.
        return


def labelled_images(folder: Path) -> list[LabelledImage]:
    """Return the images of ``folder`` with the labels of its sub-folders.

    Raises:
        NotFound: ``folder-missing``.
        InvalidInput: ``folder-without-images``.
    """
    return [LabelledImage(path, label_of(path, folder)) for path in image_files(folder)]


@dataclass(frozen=True, slots=True)
class GoodImages:
    """The images of good parts in a folder, for training.

    Attributes:
        files: in the order of ``image_files``.
        left_out: excluded sub-folders, with the number of images in each.
        taken_whole: included sub-folders whose names are no labels of good parts.
    """

    files: list[Path]
    left_out: dict[str, int]
    taken_whole: tuple[str, ...]


def good_images(folder: Path) -> GoodImages:
    """Return the images of good parts in ``folder``.

    Where the name of a sub-folder labels good parts, all names are labels: its images and those directly in ``folder``
    are included, and other sub-folders are excluded. Otherwise the names may be days or stations: all are included.

    Raises:
        NotFound: ``folder-missing``.
        InvalidInput: ``folder-not-readable`` or ``folder-without-images``.
    """
    found = labelled_images(folder)
    others = Counter(image.label for image in found if image.label is not None and not image.good)
    if not any(image.good for image in found):
        return GoodImages([image.path for image in found], {}, tuple(sorted(others)))
    return GoodImages([image.path for image in found if image.good is not False], dict(sorted(others.items())), ())


def defect_images(folder: Path) -> list[Path]:
    """Return the images of defects in ``folder``: all except those in sub-folders of good parts.

    Raises:
        NotFound: ``folder-missing``.
        InvalidInput: ``folder-not-readable`` or ``folder-without-images``.
    """
    found = [image.path for image in labelled_images(folder) if not image.good]
    if not found:
        raise InvalidInput("folder-without-images", folder=str(folder))
    return found
