"""Reference images: a part at its nominal position."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from inspection.imaging.files import decode_image, encode_png, read_image_bytes
from inspection.imaging.frames import Pixels, require_pixels
from inspection.imaging.reading import AS_DECLARED, Reading
from inspection.model_files.step_models import ModelKind
from models.storage import sha256_of


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceImage:
    """A reference image of a pipeline step.

    Attributes:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        name: of the file, for messages.
        digest: SHA-256 of the file, hexadecimal.
    """

    kind: ClassVar[ModelKind] = ModelKind.REFERENCE
    pixels: Pixels
    name: str
    digest: str

    @classmethod
    def of(cls, pixels: Pixels, name: str = "reference") -> ReferenceImage:
        """Return ``pixels``, uint8 RGB or grey, as a reference with the digest of their PNG encoding.

        Raises:
            ValueError: when ``pixels`` is not an image.
        """
        require_pixels(pixels)
        return cls(pixels, name, sha256_of(encode_png(pixels)))


def load_reference(path: Path, reading: Reading = AS_DECLARED) -> ReferenceImage:
    """Read an image file as a reference.

    Raises:
        UnreadableImage: as ``inspection.imaging.files.read_image``.
    """
    data = read_image_bytes(path)
    return ReferenceImage(decode_image(data, name=path.name, reading=reading), path.name, sha256_of(data))
