"""Whether a window can be shown: asked of the display itself, before Qt, which ends the process when it cannot.

Qt aborts (SIGABRT) where it finds no display, and cannot be asked beforehand. The same connection that its X11 part
would make is made here through the same library, libxcb: some milliseconds, against a second for a child process that
loads Qt; and unlike a bare connection to the display's socket it also finds a display that refuses this user.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from pathlib import Path

_LIBXCB = "libxcb.so.1"
_WAIT_S = 2.0
_NOT_SHOWN = {"offscreen", "minimal"}


def window_can_open() -> bool:
    """Return whether Qt can open a window, be it one that is drawn off the screen."""
    if sys.platform in {"win32", "darwin"}:
        return True
    platforms = {entry.partition(":")[0] for entry in os.environ.get("QT_QPA_PLATFORM", "").split(";") if entry}
    if platforms - {"xcb", "wayland", "wayland-egl"}:
        return True
    asked = platforms or {"xcb", "wayland"}
    return ("xcb" in asked and _x11_answers()) or (bool(asked - {"xcb"}) and _wayland_answers())


def somebody_can_see() -> bool:
    """Return whether a window can be shown."""
    return os.environ.get("QT_QPA_PLATFORM") not in _NOT_SHOWN and window_can_open()


def _x11_answers() -> bool:
    if not os.environ.get("DISPLAY"):
        return False
    try:
        xcb = ctypes.CDLL(_LIBXCB)
    except OSError:
        return True  # Qt may have brought a libxcb of its own; only Qt knows.
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)  # DISPLAY and XAUTHORITY; never NULL, whatever happens
    try:
        return bool(xcb.xcb_connection_has_error(connection) == 0)
    finally:
        xcb.xcb_disconnect(connection)


def _wayland_answers() -> bool:
    name = os.environ.get("WAYLAND_DISPLAY")
    if not name:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_WAIT_S)
        try:
            connection.connect(str(Path(os.environ.get("XDG_RUNTIME_DIR", ""), name)))
        except OSError:
            return False
    return True
