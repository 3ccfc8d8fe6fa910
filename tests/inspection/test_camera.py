import time
from collections.abc import Iterator

import numpy as np
import pytest

from inspection.frames import Frame
from inspection.sources import CameraSource, LiveSource, SourceState, make_source, open_source
from inspection.sources.camera import without_credentials
from models.errors import InvalidInput, Unavailable
from tests.inspection.rtsp_server import RtspServer

RED, BLUE = (230, 20, 20), (20, 20, 230)


@pytest.fixture
def server() -> Iterator[RtspServer]:
    running = RtspServer(RED)
    running.start()
    yield running
    running.stop()


def next_frame(source: LiveSource | CameraSource, seconds: float = 20.0) -> Frame:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        frame = source.read(timeout=0.5)
        if frame is not None:
            return frame
    raise AssertionError(f"no frame within {seconds} s")


def colour(frame: Frame) -> np.ndarray:
    return frame.pixels.reshape(-1, 3).mean(axis=0)


def test_an_rtsp_stream_comes_red_first(server: RtspServer) -> None:
    with open_source(server.url) as source:
        frame = next_frame(source)  # type: ignore[arg-type]  # cameras come as LiveSource
    assert frame.pixels.shape == (96, 160, 3)
    assert np.abs(colour(frame) - RED).max() < 12


def test_a_stream_that_dies_and_returns_is_found_again_within_three_seconds_in_the_same_colours(
    server: RtspServer,
) -> None:
    with LiveSource(CameraSource(server.url)) as source:
        before = next_frame(source)
        server.stop()
        deadline = time.monotonic() + 20
        while source.state is not SourceState.LOST:
            assert time.monotonic() < deadline, "the loss was not noticed"
            source.read(timeout=0.1)
        server.start()
        returned = time.monotonic()
        after = next_frame(source)
        assert after.monotonic - returned < 3.0
        assert source.state is SourceState.OPEN
    assert after.sequence > before.sequence
    assert np.abs(colour(after) - colour(before)).max() < 3


def test_a_wrong_address_is_an_error_at_once(server: RtspServer) -> None:
    port = server.port
    server.stop()
    began = time.monotonic()
    for address in (f"rtsp://127.0.0.1:{port}/live", "rtsp://no-such-host.invalid/live"):
        with pytest.raises(Unavailable) as caught:
            open_source(address)
        assert caught.value.code == "camera-not-reachable"
    assert time.monotonic() - began < 10
    server.start()


def test_an_address_without_a_host_is_refused() -> None:
    for address in ("rtsp://", "rtsp://:554/live", "rtsp://host:notaport/x"):
        with pytest.raises(InvalidInput) as caught:
            open_source(address)
        assert caught.value.code == "camera-address"


def test_user_and_password_reach_the_camera_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    server = RtspServer(BLUE, credentials="inspector:s3cret")
    server.start()
    try:
        source = CameraSource(server.url)
        with source:
            frame = next_frame(source)
            assert np.abs(colour(frame) - BLUE).max() < 12
        told = [source.describe(), source.source_id, frame.source_id, repr(frame.source_id)]
        wrong = server.url.replace("s3cret", "wr0ng")
        with pytest.raises(Unavailable) as caught:
            CameraSource(wrong).open()
        told += [str(caught.value), caught.value.text("ja").detail]
    finally:
        server.stop()
    told += list(capfd.readouterr())
    assert not [text for text in told if "s3cret" in text or "wr0ng" in text or "inspector" in text]


def test_an_address_is_shown_without_user_password_and_query() -> None:
    assert without_credentials("rtsp://u:p@h:554/a?token=x") == "rtsp://h:554/a"


def test_what_is_no_address_at_all_is_refused_without_showing_a_password() -> None:
    with pytest.raises(InvalidInput) as caught:
        make_source("rtsp://admin:secret@[not-an-address/1")
    assert caught.value.code == "camera-address"
    assert "secret" not in str(caught.value)
