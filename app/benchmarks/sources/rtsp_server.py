"""A real RTSP server: GStreamer's, in a process of its own, that can be killed and started again on its port."""

from __future__ import annotations

import argparse
import base64
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib import import_module

from app.benchmarks.processes import suspend
from inspection.runtime.subprocesses import module_command
from models.errors import ImageFlowError

BAR_COLOURS = ((255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255))
"""Colours (RGB) of the seven bars of the picture, from left to right."""

_START_TIMEOUT = 30.0
_ENCODERS = {
    # JPEG has the full range of levels, and FFmpeg reads 4:2:0 without surprises.
    "jpeg": "video/x-raw,format=I420,colorimetry=1:4:0:0 ! jpegenc quality=95 ! rtpjpegpay name=pay0 pt=26",
    # As network cameras send it: a picture to begin with once a second, the others are differences.
    "h264": "video/x-raw,format=I420,colorimetry=bt601 ! openh264enc gop-size=25 bitrate=4000000"
    " ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96",
}


class RtspServerMissing(ImageFlowError):
    """GStreamer's RTSP server cannot be started on this computer."""


@dataclass
class RtspServer:
    """Serves seven coloured bars to every client until it is killed; can be started again on the same port."""

    width: int = 280
    height: int = 96
    credentials: str | None = None
    port: int = 0
    encoding: str = "jpeg"
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Address of the stream, with the credentials."""
        user = f"{self.credentials}@" if self.credentials else ""
        return f"rtsp://{user}127.0.0.1:{self.port}/live"

    def start(self) -> None:
        """Start the process and return once it listens.

        Raises:
            RtspServerMissing: when it does not start: GStreamer, its RTSP server or PyGObject are not there.
        """
        command = module_command(
            "app.benchmarks.sources.rtsp_server", str(self.port), str(self.width), str(self.height)
        )
        command += [*([self.credentials] if self.credentials else []), "--encoding", self.encoding]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this very file
        out = self._process.stdout
        if out is None:
            raise RuntimeError("a process was started without its pipe")
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            line = out.readline() if selector.select(_START_TIMEOUT) else ""
        if not line.startswith("port "):
            self.stop()
            raise RtspServerMissing("GStreamer's RTSP server did not start")
        self.port = int(line.split()[1])

    def stop(self) -> None:
        """Kill it, as a power cut does; its clients get no message."""
        if self._process is not None:
            self._process.kill()
            # Reads what is left, closes the pipe and waits.
            self._process.communicate(timeout=10)
            self._process = None

    def freeze(self) -> None:
        """Fall silent without closing a connection, as a pulled network cable does."""
        if self._process is not None:
            suspend(self._process.pid)

    def thaw(self) -> float:
        """Go on after ``freeze``; return when, on the monotonic clock."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
        return time.monotonic()


def serve(port: int, width: int, height: int, encoding: str, credentials: str | None) -> None:
    """Serve until killed."""
    gi = import_module("gi")  # without types, and only where it is installed
    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    glib, gst, rtsp = (import_module(f"gi.repository.{name}") for name in ("GLib", "Gst", "GstRtspServer"))

    gst.init(None)
    server = rtsp.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(str(port))
    factory = rtsp.RTSPMediaFactory.new()
    factory.set_launch(
        "( videotestsrc is-live=true pattern=smpte100"
        f" ! video/x-raw,format=RGB,width={width},height={height},framerate=25/1"
        f" ! videoconvert ! {_ENCODERS[encoding]} )"
    )
    factory.set_shared(True)
    if credentials is not None:
        authentication = rtsp.RTSPAuth.new()
        token = rtsp.RTSPToken.new()
        token.set_string(rtsp.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
        authentication.add_basic(base64.b64encode(credentials.encode()).decode(), token)
        server.set_auth(authentication)
        factory.add_role_from_structure(
            gst.Structure.from_string(
                "viewer, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
            )[0]
        )
    server.get_mount_points().add_factory("/live", factory)
    if server.attach(None) == 0:
        raise RuntimeError(f"port {port} is taken")
    sys.stdout.write(f"port {server.get_bound_port()}\n")
    sys.stdout.flush()
    glib.MainLoop().run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("port", "width", "height"):
        parser.add_argument(name, type=int)
    parser.add_argument("--encoding", choices=_ENCODERS, required=True)
    parser.add_argument("credentials", nargs="?")
    given = parser.parse_args()
    serve(given.port, given.width, given.height, given.encoding, given.credentials)
