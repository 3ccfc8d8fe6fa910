"""Engines that all processes of a test run share: started by the first that needs one, ended after the last.

A guard runs each engine. Whoever uses it holds a shared lock on a file; the guard ends the engine once it gets the lock
for itself, so also when a run was killed: the system lets go of the locks of a process that has ended.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.made_once import alone, run_folder
from tests.support.private_broker import broker
from tests.support.private_s3 import S3Server, s3_server

_START_S = 120.0
_PAUSE_S = 0.05
_LOOK_S = 0.5


@contextmanager
def shared_s3(factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Give the S3 server of this run."""
    with _shared(factory, "s3") as found:
        yield S3Server(**found)


@contextmanager
def shared_broker(factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of the broker of this run."""
    with _shared(factory, "broker") as found:
        yield str(found["bootstrap"])


@contextmanager
def _shared(factory: pytest.TempPathFactory, kind: str) -> Iterator[dict[str, Any]]:
    place = run_folder(factory)
    ready = place / f"engine-{kind}.json"
    with (place / f"engine-{kind}.users").open("a") as users:
        with alone(factory, f"engine-{kind}"):
            # Waits for the end of an engine that nobody used any more.
            fcntl.flock(users, fcntl.LOCK_SH)
            if not ready.exists():
                _start(kind, place)
                _wait_for(ready)
        yield json.loads(ready.read_text())


def _start(kind: str, place: Path) -> None:
    with (place / f"engine-{kind}.log").open("wb") as log:
        subprocess.run(
            [sys.executable, "-m", "tests.support.shared_engines", kind, str(place)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=Path(__file__).parents[2],
            check=True,
        )


def _wait_for(ready: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not ready.exists():
        assert time.monotonic() < deadline, ready.with_suffix(".log").read_text(errors="replace")
        time.sleep(_PAUSE_S)


@contextmanager
def _s3(folder: Path) -> Iterator[dict[str, Any]]:
    with s3_server(folder) as server:
        yield {"endpoint": server.endpoint, "access_key": server.access_key, "secret_key": server.secret_key}


@contextmanager
def _broker(folder: Path) -> Iterator[dict[str, Any]]:
    with broker(folder) as (bootstrap, _):
        yield {"bootstrap": bootstrap}


_ENGINES: dict[str, Callable[[Path], AbstractContextManager[dict[str, Any]]]] = {"s3": _s3, "broker": _broker}


def _guard(kind: str, place: Path) -> None:
    """Run an engine until nobody uses it, in a process of its own that no test waits for."""
    if os.fork():
        return
    # An interrupt of the terminal ends the run, which ends the use.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ready = place / f"engine-{kind}.json"
    with (
        tempfile.TemporaryDirectory(prefix=kind, ignore_cleanup_errors=True) as folder,
        (place / f"engine-{kind}.users").open("a") as users,
        _ENGINES[kind](Path(folder)) as found,
    ):
        written = ready.with_suffix(".new")
        written.write_text(json.dumps(found))
        written.rename(ready)
        while not _is_unused(users.fileno()):
            time.sleep(_LOOK_S)
        ready.unlink(missing_ok=True)


def _is_unused(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    _guard(sys.argv[1], Path(sys.argv[2]))
