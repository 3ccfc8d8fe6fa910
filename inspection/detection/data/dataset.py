"""Labelled images for a detector: reading ``data.yaml`` and checking every file it names."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspection.detection.data.labels import LabelledBox, read_labels
from inspection.detection.graph.metadata import class_names, read_yaml
from inspection.detection.reasons import InvalidMetadataError, decoded
from inspection.imaging.datasets import image_files
from inspection.imaging.decoding import DecodedImage
from inspection.imaging.files import decode, read_image_bytes
from inspection.imaging.formats import IMAGE_SUFFIXES
from inspection.imaging.value_range import ValueRange
from models.errors import InvalidInput, NotFound, UnreadableImage, UserFacingError
from models.messages import JoinedText, LocalText
from models.names import LONGEST_NAME
from models.storage import is_file, is_folder, is_there, reason_of, sha256_of

_MIN_SIDE = 10
"""Minimum side in pixels; the training library silently drops smaller images."""
_KNOWN_TO_ULTRALYTICS = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
PARTS = ("train", "val")
_UP = "../"
_SHOWN_WRONG = 50
_LABEL_ENDINGS = (".txt", ".TXT", ".Txt")
_NO_LABELS = frozenset({"classes.txt", "labels.txt", "notes.txt", "readme.txt"})
"""What labelling tools write beside label files; names in lower case."""
Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """An image with its ground-truth boxes.

    Attributes:
        image: the file.
        width: columns.
        height: rows.
        boxes: empty for a background image.
        digest: SHA-256 of image and labels, hexadecimal.
        seen_alike: whether the training library, which reads files itself, sees the image as the inspection does.
    """

    image: Path
    width: int
    height: int
    boxes: tuple[LabelledBox, ...]
    digest: str
    seen_alike: bool = True


@dataclass(frozen=True, slots=True)
class DetectionData:
    """Checked training data.

    Attributes:
        names: of the classes, by number.
        train: training images.
        val: validation images.
        skipped: path → error of each image left out, and of each label file without an image.
    """

    names: tuple[str, ...]
    train: tuple[LabelledFile, ...]
    val: tuple[LabelledFile, ...]
    skipped: dict[str, UserFacingError]

    @property
    def measured_on_training(self) -> bool:
        """Whether a file of ``val`` is one of ``train`` too, links followed: the figures are then too good."""
        train = {os.path.realpath(file.image) for file in self.train}
        return any(os.path.realpath(file.image) in train for file in self.val)

    @property
    def digest(self) -> str:
        """SHA-256 over the sorted digests of all images with their labels, hexadecimal."""
        joined = "\n".join(sorted(file.digest for file in (*self.train, *self.val)))
        return sha256_of(joined.encode())


def read_detection_data(path: Path, on_progress: Report | None = None, parts: Collection[str] = PARTS) -> DetectionData:
    """Read ``data.yaml`` as ultralytics defines it, and every image and label file it names.

    ``train`` and ``val`` are folders, or text files with one image per line, or lists of these, relative to ``path``
    (which is relative to the file); labels are in ``labels`` where images are in ``images``. An image without a label
    file, or with an empty one, is a background image. ``download`` is never followed.

    Args:
        path: of ``data.yaml``.
        on_progress: called with the number of images done and the total.
        parts: which of ``train`` and ``val`` are read; the other stays empty and need not exist.

    Raises:
        NotFound: ``file-missing``, ``folder-missing``.
        InvalidInput: ``detector-data-file``, ``detector-data-names``, ``detector-data-count``,
            ``detector-data-folder``, ``detector-data-listing``, ``detector-data-empty``, ``folder-without-images``; the
            error of a wrong label (``read_labels``), or ``detector-labels-wrong`` with those of all.
        UnreadableImage: when no image of a part is usable; the error of the first.
    """
    raw = _read_description(path)
    names = _class_names(path, raw.get("names"))
    if isinstance(raw.get("nc"), int) and raw["nc"] != len(names):
        raise InvalidInput("detector-data-count", file=str(path), given=raw["nc"], count=len(names))
    given = raw.get("path")
    if given is not None and not isinstance(given, str):
        raise InvalidInput("detector-data-folder", file=str(path), entry="path")
    root = path.parent / (given or "")
    places = {part: _places(path, part, raw.get(part), root) for part in PARTS if part in parts}
    chosen = {part: _images(found) for part, found in places.items()}
    total, done = sum(map(len, chosen.values())), 0
    skipped: dict[str, UserFacingError] = {}
    wrong: list[InvalidInput] = []
    read: dict[str, list[LabelledFile]] = {part: [] for part in PARTS}
    for part, images in chosen.items():
        for image in images:
            found = _read_file(image, len(names), skipped, wrong)
            if found is not None:
                read[part].append(found)
            done += 1
            if on_progress is not None:
                on_progress(done, total)
        if not read[part]:
            raise skipped[str(images[0])]
        if not wrong and not any(file.boxes for file in read[part]):
            raise InvalidInput("detector-data-empty", file=str(path), part=part, count=len(images))
    _require_right(wrong)
    for part, images in chosen.items():
        # A list may name a part of a folder on purpose.
        if not any(map(is_file, places[part])):
            skipped.update({str(label): InvalidInput("detector-label-orphan") for label in _orphans(images)})
    return DetectionData(names, tuple(read["train"]), tuple(read["val"]), skipped)


def _require_right(wrong: Sequence[InvalidInput]) -> None:
    """Check that there was no wrong line in any label file.

    Raises:
        InvalidInput: the only one there is, else ``detector-labels-wrong`` with all of them.
    """
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        shown = [LocalText.of(error.code, error.values) for error in wrong[:_SHOWN_WRONG]]
        raise InvalidInput(
            "detector-labels-wrong",
            count=len(wrong),
            files=len({error.values["file"] for error in wrong}),
            lines=JoinedText(shown, "\n  ", "\n  …" if len(wrong) > len(shown) else ""),
        )


def _orphans(images: Sequence[Path]) -> list[Path]:
    """Return the label files beside those of images that belong to none: their images are missing."""
    labels = {image: label_file(image) for image in images}
    folders = {label.parent for image, label in labels.items() if label.parent != image.absolute().parent}
    found = {file for folder in folders if is_folder(folder) for file in folder.iterdir() if _may_be_labels(file)}
    return sorted(found - set(labels.values()))


def _may_be_labels(file: Path) -> bool:
    return file.suffix.lower() == _LABEL_ENDINGS[0] and file.name.casefold() not in _NO_LABELS


def _read_description(path: Path) -> dict[str, Any]:
    try:
        return read_yaml(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFound("file-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("detector-data-file", file=str(path), reason=reason_of(error)) from error
    except InvalidMetadataError as error:
        raise InvalidInput("detector-data-file", file=str(path), reason=error.reason) from error


def _class_names(path: Path, value: object) -> tuple[str, ...]:
    try:
        names = class_names(value)
    except InvalidMetadataError as error:
        raise InvalidInput("detector-data-names", file=str(path), longest=LONGEST_NAME) from error
    if len(set(names)) != len(names):
        raise InvalidInput("detector-data-names", file=str(path), longest=LONGEST_NAME)
    return names


def _places(path: Path, part: str, value: Any, root: Path) -> list[Path]:
    """Return the folders and lists of a part."""
    entries = value if isinstance(value, list) else [value]
    if not entries or not all(isinstance(entry, str) and entry for entry in entries):
        raise InvalidInput("detector-data-folder", file=str(path), entry=part)
    # Some are written for a file one folder deeper; ultralytics resolves them here too.
    return [
        root / (entry.removeprefix(_UP) if entry.startswith(_UP) and not is_there(root / entry) else entry)
        for entry in entries
    ]


def _images(places: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for place in places:
        if is_file(place):
            found.extend(_listed(place))
        else:
            found.extend(image_files(place))
    return list(dict.fromkeys(found))


def _listed(listing: Path) -> list[Path]:
    try:
        lines = decoded(listing.read_bytes()).splitlines()
    except OSError as error:
        raise InvalidInput("detector-data-file", file=str(listing), reason=reason_of(error)) from error
    except InvalidMetadataError as error:
        raise InvalidInput("detector-data-file", file=str(listing), reason=error.reason) from error
    images = [listing.parent / line.strip() for line in lines if line.strip()]
    wrong = [image for image in images if image.suffix.lower() not in IMAGE_SUFFIXES or "\0" in str(image)]
    if wrong:
        raise InvalidInput("detector-data-listing", file=str(listing), name=repr(wrong[0].name), count=len(wrong))
    return images


def _read_file(
    image: Path, classes: int, skipped: dict[str, UserFacingError], wrong: list[InvalidInput]
) -> LabelledFile | None:
    try:
        data = read_image_bytes(image)
        decoded = decode(data, name=image.name, mode="grey")
        pixels = decoded.pixels
        if min(pixels.shape) < _MIN_SIDE:
            height, width = pixels.shape
            raise UnreadableImage("image-too-small", name=image.name, width=width, height=height, least=_MIN_SIDE)
    except UserFacingError as error:
        skipped[str(image)] = error
        return None
    labels = read_labels(label_file(image), classes)
    wrong.extend(labels.wrong)
    digest = sha256_of(bytes.fromhex(sha256_of(data)) + bytes.fromhex(sha256_of(labels.data)))
    return LabelledFile(image, pixels.shape[1], pixels.shape[0], labels.boxes, digest, _seen_alike(image, decoded))


def _seen_alike(image: Path, decoded: DecodedImage) -> bool:
    """Return whether the training library sees the image alike.

    It takes the upper 8 of 16 bits, sees what lies under transparent pixels, and leaves out endings it does not know.
    """
    known_values = decoded.values in {None, ValueRange.of_bits(16)}
    return image.suffix.lower() in _KNOWN_TO_ULTRALYTICS and known_values and not decoded.transparent


def label_file(image: Path) -> Path:
    """Return the label path of an image: the last folder ``images`` of its absolute path replaced by ``labels``.

    Its ending may be in capitals.
    """
    parts = list(image.absolute().parts)
    places = [number for number, part in enumerate(parts[:-1]) if part == "images"]
    if places:
        parts[places[-1]] = "labels"
    file = Path(*parts).with_suffix(_LABEL_ENDINGS[0])
    return next((found for found in map(file.with_suffix, _LABEL_ENDINGS) if is_there(found)), file)
