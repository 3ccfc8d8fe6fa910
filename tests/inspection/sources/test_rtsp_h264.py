"""What most network cameras send: H.264, a whole picture once a second and differences between."""

import time

import numpy as np

from app.benchmarks.sources.rtsp_server import BAR_COLOURS, RtspServer
from inspection.sources import CameraSource, LiveSource, SourceState
from tests.support.awaiting import await_loss, next_frame
from tests.support.colour_bars import bar_colours


def test_an_h264_stream_that_dies_is_found_again_in_the_same_colours() -> None:
    server = RtspServer(encoding="h264")
    server.start()
    try:
        with LiveSource(CameraSource(server.url)) as source:
            before = next_frame(source)
            assert np.abs(bar_colours(before) - BAR_COLOURS).max() < 12
            server.stop()
            await_loss(source)
            server.start()
            returned = time.monotonic()
            after = next_frame(source, after=returned)
            assert source.state is SourceState.OPEN
    finally:
        server.stop()
    assert np.abs(bar_colours(after) - bar_colours(before)).max() < 6


def test_an_h264_stream_that_others_watch_already_is_shown_whole() -> None:
    server = RtspServer(encoding="h264")
    server.start()
    try:
        with LiveSource(CameraSource(server.url)) as earlier:
            next_frame(earlier)
            with LiveSource(CameraSource(server.url)) as source:
                frame = next_frame(source)
    finally:
        server.stop()
    assert np.abs(bar_colours(frame) - BAR_COLOURS).max() < 12
