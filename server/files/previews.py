"""Small pictures of images, made once and kept for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict

from models.errors import DoesNotFit, UserFacingError
from server.context import ServerContext
from server.files.schemas import FileReply
from server.objects.damage import require_whole

SMALLEST, LARGEST = 16, 1_024
"""Longer side of a preview, in pixels."""
JPEG = "image/jpeg"
_QUALITY = 80
_MOST_BYTES = 16 * 1024 * 1024


class _Kept:
    """Previews by digest and size; those asked for longest ago make room."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._previews: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._bytes = 0

    def find(self, key: tuple[str, int]) -> bytes | None:
        with self._lock:
            if key not in self._previews:
                return None
            self._previews.move_to_end(key)
            return self._previews[key]

    def keep(self, key: tuple[str, int], data: bytes) -> None:
        with self._lock:
            self._bytes += len(data) - len(self._previews.pop(key, b""))
            self._previews[key] = data
            while self._bytes > _MOST_BYTES:
                self._bytes -= len(self._previews.popitem(last=False)[1])


_kept = _Kept()


def preview_of(context: ServerContext, file: FileReply, size: int) -> bytes:
    """Return a JPEG of an image whose longer side is at most ``size`` pixels; a smaller image is not enlarged.

    Raises:
        DoesNotFit: ``file-without-preview`` for what is no image.
        NotFound: ``object-unknown``, or ``object-damaged`` for one of another size than was stored.
    """
    key = (file.sha256, size)
    found = _kept.find(key)
    if found is None:
        found = _make(context, file, size)
        _kept.keep(key, found)
    return found


def _make(context: ServerContext, file: FileReply, size: int) -> bytes:
    # Loaded with the first preview, OpenCV with it.
    from inspection.imaging.files import ImageLimits, decode_image, encode_jpeg
    from inspection.imaging.resizing import resize_pixels

    if not file.content_type.startswith("image/"):
        raise DoesNotFit("file-without-preview", name=file.filename)
    limits = ImageLimits(max_pixels=context.settings.max_image_pixels)
    require_whole(context.objects, file.sha256, file.size)
    data = context.objects.read(file.sha256)
    try:
        pixels = decode_image(data, name=file.filename, limits=limits)
    except UserFacingError as error:
        raise DoesNotFit("file-without-preview", name=file.filename) from error
    height, width = pixels.shape[:2]
    scale = min(1.0, size / max(height, width))
    small = resize_pixels(pixels, max(1, round(width * scale)), max(1, round(height * scale)))
    return encode_jpeg(small, _QUALITY)
