"""Where no window can be shown the station says so and the demo goes on without: Qt would abort the process."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.command_line.display import somebody_can_see, window_can_open
from tests.support.command import imageflow
from tests.support.messages import says

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays of X11 and Wayland")
XVFB = shutil.which("Xvfb")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def x_server() -> Iterator[str]:
    """A display of this test's own."""
    assert XVFB is not None
    # By default the server restarts when its last client leaves, and drops whoever comes meanwhile.
    command = [XVFB, "-displayfd", "1", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        yield f":{server.stdout.readline().strip()}"
        server.terminate()


@pytest.mark.parametrize("name", ["", ":61234", "nonsense", "127.0.0.1:59000"])
def test_a_display_that_does_not_answer_shows_no_window(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("DISPLAY", name)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-nothing")
    assert not window_can_open()
    assert not somebody_can_see()
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    assert not window_can_open()


@pytest.mark.skipif(XVFB is None, reason="there is no Xvfb")
def test_a_display_that_answers_shows_a_window(monkeypatch: pytest.MonkeyPatch, x_server: str) -> None:
    monkeypatch.setenv("DISPLAY", x_server)
    assert window_can_open()
    assert somebody_can_see()


def test_a_wayland_display_that_answers_shows_a_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    assert not somebody_can_see()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "wayland-7"))
        listener.listen()
        assert somebody_can_see()


def test_a_window_off_the_screen_can_open_but_nobody_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert window_can_open()
    assert not somebody_can_see()


def test_the_station_says_that_the_display_cannot_be_used(tmp_path: Path) -> None:
    done = imageflow("station", "--store", str(tmp_path), DISPLAY=":61234", IMAGEFLOW_LANGUAGE="en")
    assert (done.returncode, says(done.stderr, "window-no-display")) == (1, True), done.stderr
