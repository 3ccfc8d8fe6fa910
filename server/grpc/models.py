"""The models that pipelines name, loaded from the configured files with their first use and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from inspection.model_files.step_models import StepModel
from models.errors import NotFound
from models.messages import LocalText
from server.core.structlog_import import structlog

_State = tuple[tuple[str, int, int], ...]
_log = structlog.get_logger("imageflow.server")


class ModelShelf:
    """Models by name; safe to use from several threads.

    Args:
        files: name → model file; it is loaded again when it, its weights, labels or metadata beside it have changed.
        at_once: images that a model works on at the same time, where it can.
    """

    def __init__(self, files: Mapping[str, Path], at_once: int = 1) -> None:
        self._files = dict(files)
        self._at_once = at_once
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._loaded: dict[str, tuple[_State, StepModel]] = {}

    @property
    def names(self) -> list[str]:
        """The names in the settings."""
        return sorted(self._files)

    @property
    def absent(self) -> list[str]:
        """Those names whose file is not there now."""
        return [name for name in self.names if not self._files[name].exists()]

    def report_absent(self, report: Callable[[LocalText], None]) -> None:
        """Report each file that is not there to the person who starts the process, and log it."""
        for name in self.absent:
            _log.warning("the file of a model is missing", model=name, file=str(self._files[name]))
            report(LocalText.of("service-model-awaited", {"name": name, "file": str(self._files[name])}))

    def find(self, name: str) -> StepModel:
        """Return the model of a name, loaded when it is not yet or one of its files has changed.

        Raises:
            NotFound: ``service-model-unknown``, or ``service-model-absent`` when the file is not there.
            InvalidInput: as ``inspection.model_library.loading.load_model``.
        """
        path = self._files.get(name)
        if path is None:
            raise NotFound("service-model-unknown", name=name, known=", ".join(self.names) or "-")
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        # One lock a name: a model that takes long to load does not hold up those that are there.
        with lock:
            state = _state(path)
            kept = self._loaded.get(name)
            if kept is None or kept[0] != state:
                from inspection.model_library.loading import load_model

                try:
                    kept = self._loaded[name] = state, load_model(path, at_once=self._at_once)
                except NotFound as error:
                    # Whoever calls gets no path of this computer.
                    _log.warning("the file of a model is missing", model=name, file=str(path))
                    raise NotFound("service-model-absent", name=name) from error
            return kept[1]


def _state(path: Path) -> _State:
    """Return name, time of change and size of each file that a model is loaded from.

    What cannot be asked is left out: loading reports it.
    """
    from inspection.model_library.loading import files_of_model

    found = []
    with suppress(OSError):
        for file in files_of_model(path):
            with suppress(OSError):
                known = file.stat()
                found.append((file.name, known.st_mtime_ns, known.st_size))
    return tuple(found)
