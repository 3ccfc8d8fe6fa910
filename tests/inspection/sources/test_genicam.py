import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from app.benchmarks.sources.fake_genicam_camera import ADDRESS, FakeGenicamCamera
from inspection.imaging.files import ImageLimits
from inspection.imaging.opencv import cv2
from inspection.sources import LiveSource, SourceState, make_source, open_source
from inspection.sources.genicam import GenicamSource
from inspection.sources.genicam_settings import GenicamSettings, parse_genicam
from models.errors import InvalidInput, Unavailable, UnreadableImage
from tests.support.awaiting import await_loss, next_frame


@pytest.fixture(scope="module")
def camera() -> Iterator[FakeGenicamCamera]:
    running = FakeGenicamCamera()
    running.start()
    yield running
    running.stop()


def rainbow_turned(pixels: np.ndarray) -> float:
    """Share of steps from left to right along which the hue falls from blue to red, as the fake camera draws it."""
    hue = cv2.cvtColor(cv2.resize(pixels, (64, 64), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2HSV)[:, :, 0]
    steps = np.diff(hue.astype(int), axis=1)
    steps = steps[(np.abs(steps) > 0) & (np.abs(steps) < 40)]
    return float((steps < 0).mean())


def test_frames_come_one_after_the_other_with_the_time_they_were_sent(camera: FakeGenicamCamera) -> None:
    began = time.monotonic()
    with open_source(f"genicam:{ADDRESS}?format=Mono8") as source:
        seen = [next_frame(source) for _ in range(10)]
        ended = time.monotonic()
    assert {frame.pixels.shape for frame in seen} == {(512, 512)}
    assert all(first.sequence < second.sequence for first, second in pairwise(seen))
    assert all(began < first.monotonic <= second.monotonic <= ended for first, second in pairwise(seen))
    # The camera sends 25 a second: all of them are not of one moment.
    assert seen[-1].monotonic - seen[0].monotonic > 0.1


# Aravis' fake camera lays BayerRG8 out as BayerBG8 and the other way round (0.8.26); those two are checked on mosaics
# drawn by the standard, in test_camera_pixel_formats.py.
@pytest.mark.parametrize("pixel_format", ["RGB8", "BayerGR8", "BayerGB8"])
def test_colours_come_red_first(camera: FakeGenicamCamera, pixel_format: str) -> None:
    with GenicamSource(ADDRESS, GenicamSettings(format=pixel_format)) as source:
        frame = next_frame(source)
    assert frame.pixels.shape == (512, 512, 3)
    assert rainbow_turned(frame.pixels) > 0.95
    assert rainbow_turned(frame.pixels[:, :, ::-1]) < 0.05


def test_a_camera_of_larger_images_than_allowed_is_given_back(camera: FakeGenicamCamera) -> None:
    with pytest.raises(UnreadableImage) as caught:
        GenicamSource(ADDRESS, limits=ImageLimits(max_pixels=512 * 512 - 1)).open()
    assert caught.value.code == "image-too-many-pixels"
    with GenicamSource(ADDRESS, limits=ImageLimits(max_pixels=512 * 512)) as source:
        assert next_frame(source).pixels.shape[:2] == (512, 512)


def test_sixteen_bits_become_the_upper_eight(camera: FakeGenicamCamera) -> None:
    with GenicamSource(ADDRESS, GenicamSettings(format="Mono16")) as source:
        pixels = next_frame(source).pixels
    assert pixels.shape == (512, 512)
    assert len(np.unique(pixels)) > 100


@pytest.mark.parametrize("away", [0.0, 2.0])
def test_a_camera_that_dies_is_found_again_in_the_same_colours(camera: FakeGenicamCamera, away: float) -> None:
    with open_source(f"gige:{ADDRESS}?format=BayerGB8") as source:
        before = next_frame(source)
        camera.kill()
        if away:
            await_loss(source)
            gone = time.monotonic()
            while time.monotonic() - gone < away:
                source.read(timeout=0.1)
        returned = camera.start()
        after = next_frame(source, after=returned)
        assert source.state is SourceState.OPEN
    assert after.pixels.shape == before.pixels.shape
    assert after.sequence > before.sequence
    assert rainbow_turned(after.pixels) > 0.95


def test_with_software_trigger_a_frame_comes_only_when_it_is_asked_for(camera: FakeGenicamCamera) -> None:
    with make_source(f"genicam:{ADDRESS}", triggered=True) as source:
        assert isinstance(source, LiveSource)
        assert source.takes_trigger
        assert source.read(timeout=0.3) is None
        for _ in range(3):
            asked = time.monotonic()
            source.trigger()
            assert next_frame(source, seconds=5).monotonic >= asked
            assert source.read(timeout=0.15) is None


@pytest.fixture
def lossy_camera(camera: FakeGenicamCamera) -> Iterator[None]:
    for lost in (4, 0):
        camera.kill()
        camera.lost = lost
        camera.start()
        if lost:
            yield


@pytest.mark.usefixtures("lossy_camera")
def test_a_frame_that_was_lost_on_the_way_is_asked_for_again() -> None:
    with GenicamSource(ADDRESS, GenicamSettings(trigger="software")) as source:
        for _ in range(8):
            source.trigger()
            next_frame(source, seconds=10)
        assert source.missed.incomplete > 0


def test_a_camera_whose_images_are_ignored_is_connected_anew(
    camera: FakeGenicamCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stream without buffers ignores the packets of each image, as one does that other packets have confused.
    monkeypatch.setattr("inspection.sources.aravis._BUFFERS", 0)
    with GenicamSource(ADDRESS, GenicamSettings(format="RGB8", trigger="software")) as source:
        monkeypatch.undo()
        source.trigger()
        frame = next_frame(source, seconds=10)
        assert (frame.pixels.shape, source.missed.incomplete) == ((512, 512, 3), 1)
        source.trigger()
        assert next_frame(source, seconds=10).sequence > frame.sequence


def test_a_silent_camera_that_waits_for_its_trigger_is_not_lost(camera: FakeGenicamCamera) -> None:
    with GenicamSource(ADDRESS, GenicamSettings(trigger="Line0")) as source:
        assert source.answers_events
        assert not source.takes_trigger
        assert source.read(timeout=1.5) is None
        assert source.state is SourceState.OPEN


def test_the_gain_that_was_set_reaches_the_camera(camera: FakeGenicamCamera) -> None:
    means = []
    for gain in (0, 3):
        with GenicamSource(ADDRESS, GenicamSettings(format="Mono8", exposure_us=3000, gain=gain)) as source:
            means.append(float(next_frame(source).pixels.mean()))
    assert means[1] > means[0] + 10


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("exposure_us=50000000", "genicam-setting"),
        ("gain=99", "genicam-setting"),
        ("trigger=Line9", "genicam-setting"),
        ("format=BayerRG12", "genicam-setting"),
        ("format=YUV411", "genicam-format"),
        ("exposure_us=-1", "genicam-option"),
        ("exposure_us=much", "genicam-option"),
        ("colour=red", "genicam-option"),
        ("exposure_us", "genicam-option"),
    ],
)
def test_a_setting_the_camera_does_not_take_is_reported(camera: FakeGenicamCamera, options: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        open_source(f"genicam:{ADDRESS}?{options}")
    assert caught.value.code == code


@pytest.mark.parametrize("address", ["127.0.0.77", "no-such-camera"])
def test_a_wrong_address_is_named_by_the_error(address: str) -> None:
    with pytest.raises(Unavailable) as caught:
        open_source(f"genicam:{address}")
    assert caught.value.code == "camera-not-reachable"
    assert caught.value.values["camera"] == address


def test_the_name_of_a_source_holds_an_address_with_its_settings() -> None:
    assert parse_genicam("GigE:192.168.0.9?gain=2&trigger=Line1") == (
        "192.168.0.9",
        GenicamSettings(gain=2, trigger="Line1"),
    )
    assert parse_genicam("genicam:Vendor-Model-1234") == ("Vendor-Model-1234", GenicamSettings())
    assert parse_genicam("rtsp://x") is None
    with pytest.raises(InvalidInput):
        parse_genicam("genicam:?gain=2")


@pytest.mark.parametrize(
    ("hidden", "code"), [("gi", "genicam-packages-missing"), ("gi.repository.Aravis", "genicam-library-missing")]
)
def test_without_package_or_library_the_message_says_what_to_install(hidden: str, code: str) -> None:
    program = (
        "import sys\n"
        f"sys.modules[{hidden!r}] = None\n"
        "from models.errors import Unavailable\n"
        "from inspection.sources import open_source\n"
        "try: open_source('genicam:127.0.0.1')\n"
        "except Unavailable as error: print(error.code, error.text('en').advice)\n"
    )
    reported = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert reported.startswith(code)
    assert "gir1.2-aravis-0.8" in reported


def test_the_sources_are_imported_without_the_packages_of_genicam() -> None:
    program = "import sys, inspection.sources\nassert 'gi' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_closing_leaves_no_thread_behind(camera: FakeGenicamCamera) -> None:
    before = set(threading.enumerate())
    with open_source(f"genicam:{ADDRESS}") as source:
        next_frame(source)
    assert set(threading.enumerate()) <= before
