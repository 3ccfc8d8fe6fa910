"""What a frame of the RTSP server's picture shows."""

from __future__ import annotations

import numpy as np

from app.benchmarks.sources.rtsp_server import BAR_COLOURS
from inspection.imaging.frames import Frame


def bar_colours(frame: Frame) -> np.ndarray:
    """Mean colour of each bar, without its edges."""
    wide = frame.width // len(BAR_COLOURS)
    return np.array(
        [frame.pixels[:, i * wide + 8 : (i + 1) * wide - 8].mean(axis=(0, 1)) for i in range(len(BAR_COLOURS))],
    )
