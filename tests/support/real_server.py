"""A server process on loopback, started as a person starts it, and a proxy that cuts the link to it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path

from models.clock import HybridLogicalClock
from models.database import Database
from models.devices import Device
from server.auth.identity.secrets import digest_of
from server.change_log.recording import ChangeLogRecorder
from tests.support.sync_stores import migrated

DEADLINE_S = 30.0


class ServerProcess:
    """``imageflow server`` with a data folder of its own."""

    def __init__(self, data_dir: Path, port: int = 0, *options: str) -> None:
        self.data_dir = data_dir
        self.options = options
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        data_dir.mkdir(parents=True, exist_ok=True)

    def database(self) -> Database:
        return migrated(self.data_dir / "server.sqlite3", ChangeLogRecorder(HybridLogicalClock("server")))

    def add(self, *records: object) -> None:
        database = self.database()
        with database.transaction() as session:
            for record in records:
                session.add(record)
                session.flush()
        database.close()

    def add_device(self, name: str) -> tuple[str, str]:
        credential = secrets.token_urlsafe(32)
        device = Device(name=name, credential_digest=digest_of(credential))
        self.add(device)
        return device.id, credential

    def start(self) -> None:
        address = self.data_dir / "server.json"
        address.unlink(missing_ok=True)
        command = [sys.executable, "-m", "app", "server", "--data-dir", str(self.data_dir), "--port", str(self.port)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "IMAGEFLOW_SERVER_GRPC_PORT": "0"}
        self.process = subprocess.Popen(
            [*command, "--until-stdin-closes", *self.options],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        wait_for(lambda: address.exists() or self.process.poll() is not None)
        self.url = json.loads(address.read_text())["url"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def kill(self) -> None:
        """End the server at once; several threads may, of which one does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(how)
        process.wait(DEADLINE_S)
        process.stdin.close()


class Proxy:
    """Passes bytes on to a port and cuts the connection once ``cut_after`` bytes have gone to the server.

    With ``cut_every`` each connection is cut after that many bytes; ``passed`` counts those that went on.
    """

    def __init__(self, port: int) -> None:
        proxy = self
        self.cut_after: int | None = None
        self.cut_every: int | None = None
        self.cuts = 0
        self.passed = 0

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(("127.0.0.1", port)) as upstream:
                    back = threading.Thread(target=_pump, args=(upstream, self.request), daemon=True)
                    back.start()
                    gone = 0
                    while data := _receive(self.request):
                        gone += len(data)
                        if proxy.cut_after is not None and gone > proxy.cut_after:
                            proxy.cuts += 1
                            proxy.cut_after = None
                            break
                        if proxy.cut_every is not None and gone > proxy.cut_every:
                            proxy.cuts += 1
                            break
                        proxy.passed += len(data)
                        upstream.sendall(data)
                    for end in (upstream, self.request):
                        _shut(end)
                    back.join(DEADLINE_S)

        class Listener(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Listener(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(DEADLINE_S)


def _pump(source: socket.socket, target: socket.socket) -> None:
    while data := _receive(source):
        try:
            target.sendall(data)
        except OSError:
            break
    _shut(target)


def _receive(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def wait_for(condition, deadline_s: float = DEADLINE_S) -> None:
    """Wait until ``condition()`` is true."""
    end = time.monotonic() + deadline_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "waited too long"
        pause.wait(0.01)
