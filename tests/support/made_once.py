"""What is costly to make and only read: the first process of a run makes it, the others wait for it and find it."""

from __future__ import annotations

import os
import pickle
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from models.file_lock import locked_file

Made = TypeVar("Made")

_PATIENCE_S = 240.0
_PAUSE_S = 0.05


def run_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the temporary folder that all processes of this run share."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextmanager
def alone(factory: pytest.TempPathFactory, name: str) -> Iterator[None]:
    """Let one process of the run at a time do what ``name`` says."""
    deadline = time.monotonic() + _PATIENCE_S
    while (lock := locked_file(run_folder(factory) / f"{name}.lock")) is None:
        assert time.monotonic() < deadline, f"{name} is still locked by another process"
        time.sleep(_PAUSE_S)
    with lock:
        yield


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """Return what ``make`` returned to the process that came first.

    Args:
        factory: of the temporary folders.
        name: of the thing; also of its folder.
        make: fills the empty folder that it is given; what it returns can be pickled.
    """
    folder = run_folder(factory) / f"once-{name}"
    result = folder.with_suffix(".pickle")
    with alone(factory, f"once-{name}"):
        if not result.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            result.write_bytes(pickle.dumps(make(folder)))
    return pickle.loads(result.read_bytes())  # type: ignore[no-any-return]  # noqa: S301 - of this very run
