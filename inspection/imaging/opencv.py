"""The one place that imports ``cv2``; every other module takes it from here.

OpenCV is loaded when it is first used: a server that only checks what a pipeline's parameters may be does without its
25 MB, and a window is shown before it.

OpenCV's wheel contains its own Qt and sets two environment variables to it when it is imported; a PySide6 window in the
same process would then load plugins of the wrong Qt and crash. They are restored here. RTSP uses TCP, because lost UDP
packets show as grey smears that look like defects, and FFmpeg's log is off, because it may contain the address of a
camera with its password.
"""

from __future__ import annotations

import os
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["cv2"]

_QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")


@cache
def _opencv() -> ModuleType:
    before = {name: os.environ.get(name) for name in _QT_VARIABLES}
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    import cv2 as module

    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    module.utils.logging.setLogLevel(module.utils.logging.LOG_LEVEL_SILENT)
    return module


class _LoadedOnFirstUse:
    """Has the names of ``cv2``; each is kept once it was asked for, so that the next use costs nothing."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(_opencv(), name)
        self.__dict__[name] = value
        return value


if TYPE_CHECKING:
    import cv2
else:
    cv2 = _LoadedOnFirstUse()
