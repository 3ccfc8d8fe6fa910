"""Where images come from: folders, video files, cameras."""

from __future__ import annotations

from pathlib import Path

from inspection.images import IMAGE_SUFFIXES
from inspection.sources.base import ImageSource, SourceState, frames
from inspection.sources.camera import CameraSource
from inspection.sources.folder import FolderSource
from inspection.sources.live import LiveSource
from inspection.sources.video import VIDEO_SUFFIXES, VideoSource
from models.errors import InvalidInput, NotFound

__all__ = [
    "CameraSource",
    "FolderSource",
    "ImageSource",
    "LiveSource",
    "SourceState",
    "VideoSource",
    "frames",
    "make_source",
    "open_source",
]

_USB = "usb:"
_RTSP = ("rtsp://", "rtsps://")


def make_source(spec: str) -> ImageSource:
    """Return the source that ``spec`` names, not yet opened.

    Args:
        spec: a folder, an image file, a video file, ``usb:0`` or ``rtsp://…``. Cameras are read by a thread of their
            own, newest frame first.

    Raises:
        InvalidInput: ``source-unknown`` when it is none of these, ``camera-address`` when the address is none.
        NotFound: ``file-missing`` when nothing is there under that name.
    """
    text = spec.strip()
    if text.lower().startswith(_USB):
        number = text[len(_USB) :]
        if not number.isascii() or not number.isdigit():
            raise InvalidInput("source-unknown", source=text)
        return LiveSource(CameraSource(int(number)))
    if text.lower().startswith(_RTSP):
        return LiveSource(CameraSource(text))
    if not text or "://" in text:
        raise InvalidInput("source-unknown", source=text.partition("://")[0])
    path = Path(text).expanduser()
    if path.is_dir():
        return FolderSource(path)
    if not path.exists():
        raise NotFound("file-missing", file=str(path))
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return FolderSource(path)
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return VideoSource(path)
    raise InvalidInput("source-unknown", source=path.name)


def open_source(spec: str) -> ImageSource:
    """Return the source that ``spec`` names, open; close it when done.

    Raises:
        InvalidInput: as ``make_source``, and for a folder without images or an unreadable video.
        NotFound: when nothing is there under that name.
        Unavailable: ``camera-not-reachable``.
    """
    source = make_source(spec)
    source.open()
    return source
