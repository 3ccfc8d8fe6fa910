"""Aravis' fake GigE Vision camera in a process of its own, that can be killed and started again."""

from __future__ import annotations

import fcntl
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from models.errors import ImageFlowError

ADDRESS = "127.0.0.1"
_PROGRAM = "arv-fake-gv-camera-0.8"
_CONTROL_PORT = 3956
_START_TIMEOUT = 20.0
# "Read register 0 (version)" of the GigE Vision control protocol, request 1; what answers is a camera.
_READ_VERSION = bytes.fromhex("42010080000400010000" + "0000")


class FakeCameraMissing(ImageFlowError):
    """Aravis' fake camera cannot be started on this computer."""


@dataclass
class FakeGenicamCamera:
    """25 frames a second of a moving rainbow, 512x512; Mono8, BayerXX8, RGB8, Mono16.

    Its port is the one of the standard, so only one can run on a machine: the others wait for it.

    Attributes:
        lost: how many of a thousand packets of an image never arrive.
    """

    lost: int = 0

    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _turn: IO[bytes] | None = field(default=None, repr=False)

    def start(self) -> float:
        """Start it; return when it answers, on the monotonic clock.

        Raises:
            FakeCameraMissing: when Aravis' tools are not installed, or it ends or does not answer.
        """
        program = shutil.which(_PROGRAM)
        if program is None:
            raise FakeCameraMissing(f"{_PROGRAM} of the package aravis-tools is not installed")
        if self._turn is None:
            self._turn = (Path(tempfile.gettempdir()) / "imageflow-fake-genicam-camera.lock").open("wb")
            fcntl.flock(self._turn, fcntl.LOCK_EX)
        arguments = [program, "-i", ADDRESS, "-r", str(self.lost)]
        self._process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)  # noqa: S603 - Aravis' own program
        deadline = time.monotonic() + _START_TIMEOUT
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.05)
            asker.connect((ADDRESS, _CONTROL_PORT))
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    raise FakeCameraMissing("the fake camera ended at once")
                try:
                    asker.send(_READ_VERSION)
                    asker.recv(1024)
                except (TimeoutError, ConnectionRefusedError):
                    continue
                return time.monotonic()
        raise FakeCameraMissing("the fake camera does not answer")

    def kill(self) -> None:
        """Kill it, as pulling its plug does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def stop(self) -> None:
        """Kill it and let the next one run."""
        self.kill()
        if self._turn is not None:
            self._turn.close()
            self._turn = None
