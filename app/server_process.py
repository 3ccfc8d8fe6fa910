"""A central server of its own for demo and benchmarks: a process that ends with its caller, however that ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from inspection.runtime.subprocesses import end_process
from models.errors import Unavailable
from models.storage import make_folder

START_S = 60.0
_STOP_S = 15.0
_ASK_EVERY_S = 0.1
_OK = 200
_LAST_LINES = 3


class ServerProcess:
    """``imageflow server`` on loopback.

    Its standard input is a pipe that nobody writes to: when this process dies, killed or not, the system closes
    the pipe and the server ends (``--until-stdin-closes``).

    Args:
        data_dir: of the server.
        environment: variables beside those of this process.

    Attributes:
        log: what the server wrote.
    """

    def __init__(self, data_dir: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self._environment = {**os.environ, **(environment or {})}
        self.log = data_dir / "server.log"
        self._port = 0
        self._url = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the server; the same after a restart."""
        return self._url

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and wait until ``/health`` says that it is well.

        Raises:
            Unavailable: ``server-process-failed``; ``file-disk-full`` or ``file-not-written`` when its folder cannot be
                made.
        """
        make_folder(self.data_dir)
        command = [
            *imageflow_command(),
            "server",
            "--data-dir",
            str(self.data_dir),
            "--host",
            "127.0.0.1",
            "--port",
            str(self._port),
            "--grpc-port",
            "0",
            "--until-stdin-closes",
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=self._environment
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if not self.running:
                break
            if self._answers():
                return
            time.sleep(_ASK_EVERY_S)
        self.stop()
        raise Unavailable("server-process-failed", seconds=int(START_S), reason=self.last_words(), log=str(self.log))

    def stop(self) -> None:
        """End the server cleanly; kill it when it does not end in time."""
        process, self._process = self._process, None
        if process is None:
            return
        end_process(process, _STOP_S)
        if process.stdin is not None:
            process.stdin.close()

    def last_words(self) -> str:
        """Return the end of the server's log."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return " ".join(lines[-_LAST_LINES:])

    def _answers(self) -> bool:
        address = self._address()
        if not address:
            return False
        try:
            answer = httpx.get(f"{address}/health", timeout=2.0, trust_env=False)
        except httpx.HTTPError:
            return False
        if answer.status_code != _OK:
            return False
        self._url = address
        self._port = httpx.URL(address).port or 0
        return True

    def _address(self) -> str:
        """Return the address this process wrote down; empty before it listens."""
        try:
            written = json.loads((self.data_dir / "server.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        mine = self._process is not None and written.get("pid") == self._process.pid
        return str(written["url"]).rstrip("/") if mine else ""


def imageflow_command() -> list[str]:
    """Return the command line that starts ``imageflow`` in this very installation."""
    return [sys.executable, "-m", "app"]
