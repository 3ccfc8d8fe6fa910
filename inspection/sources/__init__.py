"""Where images come from: folders and folders that are watched, video files, cameras."""

from __future__ import annotations

import os
import re
from pathlib import Path

from inspection.imaging.files import IMAGE_SUFFIXES
from inspection.sources.base import ImageSource, MissedFrames, SourceState, frames
from inspection.sources.camera import CameraSource
from inspection.sources.folder import FolderSource
from inspection.sources.genicam_settings import GENICAM_PREFIXES, GenicamSettings, parse_genicam
from inspection.sources.live import LiveSource
from inspection.sources.video import VIDEO_SUFFIXES, VideoSource
from inspection.sources.watched import WatchedFolderSource
from models.errors import InvalidInput, NotFound
from models.storage import is_folder, is_there

__all__ = [
    "ADDRESS_KINDS",
    "CameraSource",
    "FolderSource",
    "ImageSource",
    "LiveSource",
    "MissedFrames",
    "SourceState",
    "VideoSource",
    "WatchedFolderSource",
    "frames",
    "is_stream",
    "make_source",
    "open_source",
]

_USB = "usb:"
_WATCH = "watch:"
_RTSP = ("rtsp://", "rtsps://")
ADDRESS_KINDS = (_USB, _WATCH, *_RTSP, *GENICAM_PREFIXES)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
"""What an address begins with, and no path: the letter of a drive stands alone."""
# Events must not be dropped as the frames of a camera in free run are; a burst of pulses is held this long.
_EVENTS_KEPT = 32


def is_stream(spec: str) -> bool:
    """Say whether ``spec`` names a source that goes on by itself: a camera, a watched folder or a video file.

    So does an address of a kind that is not known, which ``make_source`` refuses: a file it is not.
    """
    text = spec.strip()
    return _scheme(text) is not None or Path(text).suffix.lower() in VIDEO_SUFFIXES


def _scheme(text: str) -> str | None:
    """Return what an address begins with, as ``rtsp``; None for a path, also for one with a colon that is there."""
    found = _SCHEME.match(text)
    if found is None or (not text.lower().startswith(ADDRESS_KINDS) and os.path.lexists(text)):
        return None
    return found[1].lower()


def make_source(spec: str, *, triggered: bool = False) -> ImageSource:
    """Return the source that ``spec`` names, not yet opened.

    Args:
        spec: a folder, an image file, a video file, ``watch:FOLDER`` for the images that appear in a folder,
            ``usb:0``, ``rtsp://…``, or ``genicam:ADDRESS`` (``gige:ADDRESS`` says the same), after which settings of
            the camera may stand as in ``genicam:192.168.0.9?exposure_us=5000&trigger=Line0`` (``GenicamSettings``).
            Cameras are read by a thread of their own; of frames nobody takes the newest are kept.
        triggered: whether frames will be asked for one by one: a GenICam camera whose trigger is not given then uses
            its software trigger where it has one.

    Raises:
        InvalidInput: ``source-scheme`` for an address of another kind, ``source-unknown`` when it is none of these,
            ``camera-address`` when the address is none, ``genicam-option``.
        NotFound: ``file-missing`` when nothing is there under that name.
    """
    text = spec.strip()
    camera = parse_genicam(text)
    if camera is not None:
        return _genicam(*camera, triggered=triggered)
    if text.lower().startswith(_USB):
        number = text[len(_USB) :]
        if not number.isascii() or not number.isdigit():
            raise InvalidInput("source-unknown", source=text)
        return LiveSource(CameraSource(int(number)))
    if text.lower().startswith(_RTSP):
        return LiveSource(CameraSource(text))
    if text.lower().startswith(_WATCH) and text[len(_WATCH) :].strip():
        return WatchedFolderSource(Path(text[len(_WATCH) :].strip()).expanduser())
    if not text or text.lower().startswith(_WATCH):
        raise InvalidInput("source-unknown", source=text)
    scheme = _scheme(text)
    if scheme is not None:
        # Not the whole address, which may hold a password.
        raise InvalidInput("source-scheme", scheme=scheme, known=", ".join(ADDRESS_KINDS))
    return _from_disk(Path(text).expanduser())


def _from_disk(path: Path) -> ImageSource:
    if is_folder(path):
        return FolderSource(path)
    if not is_there(path):
        raise NotFound("file-missing", file=str(path))
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return FolderSource(path)
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return VideoSource(path)
    raise InvalidInput("source-unknown", source=path.name)


def _genicam(address: str, settings: GenicamSettings, *, triggered: bool) -> ImageSource:
    from inspection.sources.genicam import GenicamSource

    if triggered and "trigger" not in settings.model_fields_set:
        settings = settings.model_copy(update={"trigger": "software-if-possible"})
    source = GenicamSource(address, settings)
    return LiveSource(source, capacity=_EVENTS_KEPT if settings.hardware_trigger else 2)


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
