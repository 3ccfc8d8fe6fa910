"""What an uploaded image is, by its bytes, and the name it is shown under."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from inspection.imaging.formats import SUFFIXES, PictureFormat
from models.errors import TooLarge
from models.storage import LONGEST_FILE_NAME, cut_to_bytes, sha256_of
from server.core.settings import ServerSettings

_FORBIDDEN = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
_RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}
_LONGEST_GIVEN = 4_096
_LONGEST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class CheckedImage:
    """A complete image within the limits.

    Attributes:
        sha256: digest of its bytes.
        size: in bytes.
        filename: to show and to save it under.
        content_type: by its bytes, whatever the client declared.
        width: pixels as stored.
        height: pixels as stored.
    """

    sha256: str
    size: int
    filename: str
    content_type: str
    width: int
    height: int


def check_image(data: bytes, filename: str | None, settings: ServerSettings) -> CheckedImage:
    """Check an image and return what it is.

    Args:
        data: the bytes.
        filename: as the client sent it.
        settings: the limits.

    Raises:
        TooLarge: ``upload-too-large``.
        UnreadableImage: when it is no complete image of one page within the limits of pixels.
    """
    largest = settings.max_upload_bytes
    if len(data) > largest:
        raise TooLarge("upload-too-large", limit=largest, members={"limit_bytes": largest})
    # Loaded with the first image, NumPy with it.
    from inspection.imaging.decoding import require_one_page
    from inspection.imaging.files import ImageLimits, require_image

    limits = ImageLimits(largest, settings.max_image_pixels)
    shown = shown_name(filename, "file")
    header = require_image(data, name=shown, limits=limits, unpacked=True)
    require_one_page(header, name=shown)
    return CheckedImage(
        sha256=sha256_of(data),
        size=len(data),
        filename=safe_name(filename, header.format),
        content_type=f"image/{header.format}",
        width=header.width,
        height=header.height,
    )


def shown_name(given: str | None, otherwise: str) -> str:
    """Return a client's file name for a text about the file: its last part, shortened, all of it visible.

    Args:
        given: as the client sent it.
        otherwise: what the file is called when nothing of that is left.
    """
    last = PurePosixPath((given or "")[-_LONGEST_GIVEN:].replace("\\", "/")).name
    return _visible(last[:_LONGEST_SHOWN]).strip() or otherwise


def safe_name(given: str | None, image_format: PictureFormat) -> str:
    """Return a client's file name for display and download; it never names a path here.

    It has no control, invisible or direction-changing characters, no character or name that a common file system
    refuses, at most 255 bytes, and it ends with a suffix of what the file is.

    Args:
        given: as the client sent it.
        image_format: what the file is.
    """
    name = PurePosixPath((given or "")[-_LONGEST_GIVEN:].replace("\\", "/")).name
    # Letters first made whole, as file systems keep them apart or not; then all that is no mark on paper is left out.
    name = _visible(unicodedata.normalize("NFC", name))
    name = name.translate(_FORBIDDEN).rstrip(" .\u3000")
    suffixes = SUFFIXES[image_format]
    stem, dot, end = name.rpartition(".")
    suffix = f"{dot}{end}"
    if not dot or suffix.lower() not in suffixes:
        stem, suffix = name, suffixes[0]
    stem = stem.strip(" .\u3000") or "file"
    if stem.partition(".")[0].lower() in _RESERVED:
        stem = f"_{stem}"
    return cut_to_bytes(stem, LONGEST_FILE_NAME - len(suffix)).rstrip(" .\u3000") + suffix


def _visible(name: str) -> str:
    return "".join(letter for letter in name if not _is_invisible(letter))


def _is_invisible(letter: str) -> bool:
    """Return whether a character is a control, a format (direction, joiner), a line end, half a pair or unassigned."""
    return unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
