"""The one place that imports ``cv2``; every other module takes it from here.

OpenCV's wheel contains its own Qt and sets two environment variables to it when it is imported; a PySide6 window in the
same process would then load plugins of the wrong Qt and crash. They are restored here. RTSP uses TCP, because lost UDP
packets show as grey smears that look like defects, and FFmpeg's log is off, because it may contain the address of a
camera with its password.
"""

from __future__ import annotations

import os

_QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
_before = {name: os.environ.get(name) for name in _QT_VARIABLES}
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2  # noqa: E402

for _name, _value in _before.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

__all__ = ["cv2"]
