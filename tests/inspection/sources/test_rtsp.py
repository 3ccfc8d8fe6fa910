import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.benchmarks.sources.rtsp_server import BAR_COLOURS, RtspServer
from inspection.imaging.files import ImageLimits
from inspection.sources import CameraSource, LiveSource, SourceState, make_source, open_source
from inspection.sources.camera import without_credentials
from models.errors import InvalidInput, Unavailable, UnreadableImage
from tests.support.awaiting import await_loss, next_frame
from tests.support.colour_bars import bar_colours


@pytest.fixture(scope="module")
def running() -> Iterator[RtspServer]:
    server = RtspServer()
    server.start()
    yield server
    server.stop()


def test_an_rtsp_stream_comes_in_its_colours_red_first(running: RtspServer) -> None:
    with open_source(running.url) as source:
        frame = next_frame(source)
    assert frame.pixels.shape == (running.height, running.width, 3)
    assert np.abs(bar_colours(frame) - BAR_COLOURS).max() < 12


def test_a_stream_of_larger_frames_than_allowed_is_refused_when_it_is_opened(running: RtspServer) -> None:
    source = LiveSource(CameraSource(running.url, limits=ImageLimits(max_pixels=running.width * running.height - 1)))
    with pytest.raises(UnreadableImage) as caught:
        source.open()
    assert caught.value.code == "image-too-many-pixels"
    assert (caught.value.values["width"], caught.value.values["height"]) == (running.width, running.height)


@pytest.mark.parametrize("away", [0.0, 2.5])
def test_a_stream_that_dies_is_found_again_in_the_same_colours(away: float) -> None:
    server = RtspServer()
    server.start()
    try:
        with LiveSource(CameraSource(server.url)) as source:
            before = next_frame(source)
            server.stop()
            await_loss(source)
            gone = time.monotonic()
            while time.monotonic() - gone < away:
                source.read(timeout=0.1)
            server.start()
            returned = time.monotonic()
            after = next_frame(source, after=returned)
            assert source.state is SourceState.OPEN
    finally:
        server.stop()
    assert after.sequence > before.sequence
    assert after.source_id == before.source_id
    assert np.abs(bar_colours(after) - bar_colours(before)).max() < 3


def test_a_stream_that_falls_silent_is_lost_until_it_speaks_again() -> None:
    server = RtspServer()
    server.start()
    try:
        with LiveSource(CameraSource(server.url)) as source:
            before = next_frame(source)
            server.freeze()
            await_loss(source)
            returned = server.thaw()
            after = next_frame(source, after=returned)
    finally:
        server.stop()
    assert np.abs(bar_colours(after) - bar_colours(before)).max() < 3


def test_a_wrong_address_is_an_error(running: RtspServer) -> None:
    gone = RtspServer()
    gone.start()
    gone.stop()
    wrong_path = running.url.replace("/live", "/none")
    for address in (gone.url, "rtsp://no-such-host.invalid/live", wrong_path):
        with pytest.raises(Unavailable) as caught:
            open_source(address)
        assert caught.value.code == "camera-not-reachable"


def test_an_address_without_a_host_is_refused() -> None:
    for address in ("rtsp://", "rtsp://:554/live", "rtsp://host:notaport/x"):
        with pytest.raises(InvalidInput) as caught:
            open_source(address)
        assert caught.value.code == "camera-address"


def test_a_password_reaches_nothing_but_the_camera(capfd: pytest.CaptureFixture[str]) -> None:
    server = RtspServer(credentials="inspector:s3cret")
    server.start()
    try:
        source = CameraSource(server.url)
        with source:
            frame = next_frame(source)
            assert np.abs(bar_colours(frame) - BAR_COLOURS).max() < 12
        reported = [source.describe(), source.source_id, frame.source_id, repr(frame.source_id)]
        wrong = server.url.replace("s3cret", "wr0ng")
        with pytest.raises(Unavailable) as caught:
            CameraSource(wrong).open()
        reported += [str(caught.value), caught.value.text("ja").detail]
    finally:
        server.stop()
    reported += list(capfd.readouterr())
    assert not [text for text in reported if "s3cret" in text or "wr0ng" in text or "inspector" in text]


def test_an_address_is_shown_without_its_credentials_or_query() -> None:
    assert without_credentials("rtsp://u:p@h:554/a?token=x") == "rtsp://h:554/a"
    assert without_credentials("rtsp://[::1]:554/Streaming/Channels/101") == "rtsp://[::1]:554/Streaming/Channels/101"


def test_an_address_is_shown_with_its_channel_but_no_credentials_in_its_path() -> None:
    shown = without_credentials("rtsp://10.0.0.5:554/user=admin_password=secret_channel=2_stream=0.sdp")
    assert shown == "rtsp://10.0.0.5:554/user=…_channel=2_stream=0.sdp"
    assert CameraSource("rtsp://h/live/Token=a1b2c3/1").source_id == "rtsp://h/live/Token=…"
    passwords = ("pa/ss", "pa#ss", "12/34", "12#34", "12?34", "/12", "a@b/c")
    for address in (f"rtsp://admin:{password}@h/live" for password in passwords):
        assert without_credentials(address) == "rtsp://…"


@given(
    st.sampled_from(["user", "username", "password", "passwd", "pwd", "token", "PassWord", "loginpas"]),
    st.sampled_from(["=", "%3D"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=3),
    st.sampled_from(["/{}", "/live/{}_channel=1_stream=0.sdp", "/{}&channel=1", "/x?{}&channel=1", "/user=a_{}/live"]),
)
def test_no_credential_in_an_address_is_ever_shown(name: str, equals: str, secret: str, place: str) -> None:
    address = "rtsp://10.0.0.5:554" + place.replace("{}", f"{name}{equals}{secret}")
    assume(secret not in "rtsp://10.0.0.5:554" + place.replace("{}", f"{name}{equals}"))
    source = CameraSource(address)
    assert secret not in source.source_id
    assert secret not in source.describe()


def test_what_is_no_address_at_all_is_refused_without_showing_a_password() -> None:
    with pytest.raises(InvalidInput) as caught:
        make_source("rtsp://admin:secret@[not-an-address/1")
    assert caught.value.code == "camera-address"
    assert "secret" not in str(caught.value)
