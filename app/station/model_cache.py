"""Models kept loaded, a few at a time: the bank of each costs memory, loading each costs a second."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from inspection.imaging.reading import AS_DECLARED, Reading
from models.errors import Unavailable

if TYPE_CHECKING:
    from inspection.model_files.step_models import StepModel


class ModelCache:
    """Loads model files by the digest of their blob; the one used longest ago makes room.

    Args:
        blob_path: gives the file of a blob.
        limit: how many models stay loaded.
        threads: processor threads of one model; 0 takes the default.
        reading: how reference images are read.
    """

    def __init__(
        self, blob_path: Callable[[str], Path], limit: int, threads: int = 0, reading: Reading = AS_DECLARED
    ) -> None:
        self._blob_path = blob_path
        self._limit = limit
        self._threads = threads or None
        self._reading = reading
        self._loaded: OrderedDict[str, StepModel] = OrderedDict()
        self._lock = threading.Lock()

    def model(self, sha256: str) -> StepModel:
        """Return the model whose file is the blob ``sha256``; loads it when it is not in memory.

        Raises:
            Unavailable: ``model-not-here`` when the blob has not come to this station yet.
            InvalidInput: when the file is damaged or too new.
        """
        with self._lock:
            model = self._loaded.get(sha256)
            if model is None:
                model = self._load(sha256)
                self._loaded[sha256] = model
            self._loaded.move_to_end(sha256)
            while len(self._loaded) > self._limit:
                self._loaded.popitem(last=False)
            return model

    def clear(self) -> None:
        """Forget every model."""
        with self._lock:
            self._loaded.clear()

    def _load(self, sha256: str) -> StepModel:
        from inspection.model_library.loading import load_model

        path = self._blob_path(sha256)
        if not path.is_file():
            raise Unavailable("model-not-here", sha256=sha256[:12])
        return load_model(path, threads=self._threads, reading=self._reading)
