"""How soon a lost source gives images again, a stream shows its first image, and a wrong address fails.

Cameras are GStreamer's RTSP server and Aravis' fake GigE Vision camera; without them their figures have no value.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from app.benchmarks.figures import Figure, at_most, judged_figure
from app.benchmarks.sources.fake_genicam_camera import ADDRESS, FakeCameraMissing, FakeGenicamCamera
from app.benchmarks.sources.rtsp_server import RtspServer, RtspServerMissing
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Frame
from inspection.imaging.opencv import cv2
from inspection.sources import CameraSource, ImageSource, LiveSource, SourceState, make_source, open_source
from inspection.sources.folder import FolderSource
from inspection.sources.video import VideoSource
from inspection.sources.watched import WatchedFolderSource
from models.errors import UserFacingError
from models.storage import write_atomically

RETURN_S, ADDRESS_S = 3.0, 5.0
ROUNDS = 3
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class _Case:
    """Something to time.

    Attributes:
        name: of its figure.
        what: it is, for people.
        seconds: times it once, in an empty folder.
        at_most_s: the goal.
    """

    name: str
    what: str
    seconds: Callable[[Path], float]
    at_most_s: float = RETURN_S


def measure(data: Path, *, rounds: int = ROUNDS) -> list[Figure]:
    """Return the seconds of each case, medians of ``rounds``; no value, with the reason, where a camera is missing.

    Args:
        data: not used.
        rounds: each from an empty folder and a camera of its own.
    """
    del data
    return [_figure(case, rounds) for case in CASES]


def _figure(case: _Case, rounds: int) -> Figure:
    found: list[float] = []
    note = ""
    try:
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                found.append(case.seconds(Path(folder)))
        note = f"median of {rounds} rounds, {min(found):.3g} to {max(found):.3g}"
    except (RtspServerMissing, FakeCameraMissing) as error:
        note = f"not measured here: {error}"
    value = median(found) if found else None
    return judged_figure(
        name=case.name,
        value=value,
        unit="s",
        what=case.what,
        goal=at_most(case.at_most_s),
        note=note,
    )


def _next_frame(source: ImageSource, *, after: float = 0.0) -> Frame:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        frame = source.read(timeout=0.5)
        if frame is not None and frame.monotonic >= after:
            return frame
    raise RuntimeError(f"{source.source_id} gave no frame within {_PATIENCE_S:g} s")


def _await_loss(source: ImageSource) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while source.state is not SourceState.LOST:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{source.source_id} did not notice its loss within {_PATIENCE_S:g} s")
        source.read(timeout=0.05)


def _draw(path: Path, level: int) -> None:
    write_atomically(path, encode_png(np.full((48, 64, 3), level, np.uint8)))


def _folder(root: Path) -> float:
    folder, away = root / "parts", root / "away"
    folder.mkdir()
    for number in range(3):
        _draw(folder / f"{number}.png", number)
    with FolderSource(folder) as source:
        _next_frame(source)
        folder.rename(away)
        _await_loss(source)
        away.rename(folder)
        returned = time.monotonic()
        _next_frame(source)
        return time.monotonic() - returned


def _watched(root: Path) -> float:
    folder, away = root / "parts", root / "away"
    folder.mkdir()
    with WatchedFolderSource(folder) as source:
        _draw(folder / "a.png", 1)
        _next_frame(source)
        folder.rename(away)
        _await_loss(source)
        _draw(away / "b.png", 2)
        away.rename(folder)
        returned = time.monotonic()
        _next_frame(source)
        return time.monotonic() - returned


def _video(root: Path) -> float:
    path, away = root / "a.avi", root / "away.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for number in range(50):
        writer.write(np.full((48, 64, 3), number, np.uint8))
    writer.release()
    with VideoSource(path, realtime=True) as source:
        _next_frame(source)
        path.rename(away)
        _await_loss(source)
        away.rename(path)
        returned = time.monotonic()
        _next_frame(source)
        return time.monotonic() - returned


def _rtsp(encoding: str) -> Callable[[Path], float]:
    def seconds(_: Path) -> float:
        server = RtspServer(encoding=encoding)
        server.start()
        try:
            with LiveSource(CameraSource(server.url)) as source:
                _next_frame(source)
                server.stop()
                _await_loss(source)
                server.start()
                returned = time.monotonic()
                return _next_frame(source, after=returned).monotonic - returned
        finally:
            server.stop()

    return seconds


def _silent(_: Path) -> float:
    server = RtspServer()
    server.start()
    try:
        with LiveSource(CameraSource(server.url)) as source:
            _next_frame(source)
            server.freeze()
            _await_loss(source)
            returned = server.thaw()
            return _next_frame(source, after=returned).monotonic - returned
    finally:
        server.stop()


def _joined(_: Path) -> float:
    server = RtspServer(encoding="h264")
    server.start()
    try:
        with LiveSource(CameraSource(server.url)) as earlier:
            _next_frame(earlier)
            began = time.monotonic()
            with LiveSource(CameraSource(server.url)) as source:
                return _next_frame(source).monotonic - began
    finally:
        server.stop()


def _genicam(_: Path) -> float:
    camera = FakeGenicamCamera()
    camera.start()
    try:
        with open_source(f"gige:{ADDRESS}") as source:
            _next_frame(source)
            camera.kill()
            _await_loss(source)
            returned = camera.start()
            return _next_frame(source, after=returned).monotonic - returned
    finally:
        camera.stop()


def _refusal(name: Callable[[Path], str]) -> Callable[[Path], float]:
    def seconds(root: Path) -> float:
        began = time.monotonic()
        try:
            with make_source(name(root)):
                raise RuntimeError("a source that is not there was opened")
        except UserFacingError:
            return time.monotonic() - began

    return seconds


CASES = (
    _Case("folder_return_s", "a folder that vanished is back; to its next image", _folder),
    _Case("watched_return_s", "the same of a watched folder with a new image", _watched),
    _Case("video_return_s", "the same of a video file in real time", _video),
    _Case("rtsp_return_s", "an RTSP camera (JPEG) that died listens again; to its next image", _rtsp("jpeg")),
    _Case("rtsp_h264_return_s", "the same of a camera that sends H.264", _rtsp("h264")),
    _Case("rtsp_silence_s", "an RTSP camera that fell silent sends again; to its next image", _silent),
    _Case("rtsp_h264_join_s", "an H.264 stream that others watch is opened; to its first image", _joined),
    _Case("genicam_return_s", "a GigE Vision camera that died answers again; to its next image", _genicam),
    _Case(
        "folder_refused_s",
        "a folder that is not there; to the error",
        _refusal(lambda root: str(root / "none")),
        ADDRESS_S,
    ),
    _Case(
        "rtsp_refused_s",
        "an RTSP address where nobody listens; to the error",
        _refusal(lambda _: "rtsp://127.0.0.1:9/live"),
        ADDRESS_S,
    ),
    _Case(
        "genicam_refused_s",
        "a GenICam address without a camera; to the error",
        _refusal(lambda _: "genicam:127.0.0.77"),
        ADDRESS_S,
    ),
)
