"""Image sources: folders, watched folders, video files, cameras."""

from __future__ import annotations

import os
import re
from pathlib import Path

from inspection.imaging.datasets import names_folder
from inspection.imaging.formats import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from inspection.imaging.reading import AS_DECLARED, Reading
from inspection.sources.base import ImageSource, MissedFrames, SourceState, frames
from inspection.sources.camera import CameraSource
from inspection.sources.folder import FolderSource
from inspection.sources.genicam_settings import GENICAM_PREFIXES, GenicamSettings, parse_genicam
from inspection.sources.live import LiveSource
from inspection.sources.video import VideoSource
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
    "is_watched",
    "make_source",
    "open_source",
]

_USB = "usb:"
_WATCH = "watch:"
_RTSP = ("rtsp://", "rtsps://")
ADDRESS_KINDS = (_USB, _WATCH, *_RTSP, *GENICAM_PREFIXES)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
"""The scheme of an address; at least two letters, because one is a drive letter."""
# Frames that answer events must not be dropped as in free run: a burst of this many pulses is buffered.
_EVENTS_KEPT = 32


def is_stream(spec: str) -> bool:
    """Return whether ``spec`` names a stream: a camera, a watched folder or a video file.

    An address of an unknown kind counts as a stream too, because it is no file; ``make_source`` refuses it.
    """
    text = spec.strip()
    return _scheme(text) is not None or Path(text).suffix.lower() in VIDEO_SUFFIXES


def is_watched(spec: str) -> bool:
    """Return whether ``spec`` names a watched folder."""
    return spec.strip().lower().startswith(_WATCH)


def _scheme(text: str) -> str | None:
    """Return the scheme of an address, as ``rtsp``; None for a path, also for an existing one with a colon."""
    found = _SCHEME.match(text)
    if found is None or (not text.lower().startswith(ADDRESS_KINDS) and os.path.lexists(text)):
        return None
    return found[1].lower()


def make_source(spec: str, *, triggered: bool = False, reading: Reading = AS_DECLARED) -> ImageSource:
    """Return the source that ``spec`` names, not yet opened.

    Args:
        spec: a folder, an image file, a video file, ``watch:FOLDER`` for the images that appear in a folder,
            ``usb:0``, ``rtsp://…``, or ``genicam:ADDRESS`` (or ``gige:ADDRESS``), optionally followed by settings of
            the camera as in ``genicam:192.168.0.9?exposure_us=5000&trigger=Line0`` (``GenicamSettings``). Cameras are
            read by a thread of their own, which buffers the newest frames only.
        triggered: whether frames will be requested one by one: a GenICam camera whose trigger is not given then uses
            its software trigger where it has one.
        reading: what image files leave open.

    Raises:
        InvalidInput: ``source-scheme`` for an address of another kind, ``source-unknown`` when it is none of these,
            ``camera-address`` when the address is malformed, ``genicam-option``.
        NotFound: ``file-missing``, ``folder-missing``.
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
        return WatchedFolderSource(Path(text[len(_WATCH) :].strip()).expanduser(), reading=reading)
    if not text or text.lower().startswith(_WATCH):
        raise InvalidInput("source-unknown", source=text)
    scheme = _scheme(text)
    if scheme is not None:
        # The message does not quote the address, which may hold a password.
        raise InvalidInput("source-scheme", scheme=scheme, known=", ".join(ADDRESS_KINDS))
    return _from_disk(Path(text).expanduser(), reading)


def _from_disk(path: Path, reading: Reading) -> ImageSource:
    if is_folder(path):
        return FolderSource(path, reading=reading)
    if names_folder(path):
        raise NotFound("folder-missing", folder=str(path))
    if not is_there(path):
        raise NotFound("file-missing", file=str(path))
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return VideoSource(path)
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return FolderSource(path, reading=reading)
    raise InvalidInput("source-unknown", source=path.name)


def _genicam(address: str, settings: GenicamSettings, *, triggered: bool) -> ImageSource:
    from inspection.sources.genicam import GenicamSource

    if triggered and "trigger" not in settings.model_fields_set:
        settings = settings.model_copy(update={"trigger": "software-if-possible"})
    source = GenicamSource(address, settings)
    return LiveSource(source, capacity=_EVENTS_KEPT if settings.hardware_trigger else 2)


def open_source(spec: str) -> ImageSource:
    """Return the source that ``spec`` names, open; the caller closes it.

    Raises:
        InvalidInput: as ``make_source``, and for a folder without images or an unreadable video.
        NotFound: as ``make_source``.
        Unavailable: ``camera-not-reachable``.
    """
    source = make_source(spec)
    source.open()
    return source
