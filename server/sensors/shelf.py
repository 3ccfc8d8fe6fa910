"""The sensor models in use, loaded with their first row and kept; NumPy is imported with the first one."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from models.database import Database
from models.errors import NotFound, Unavailable, UserFacingError
from server.objects.store import ObjectStore
from server.sensors.repository import ModelVersion, active_version, active_versions, version_of
from server.sensors.runs import AnomalyRuns

if TYPE_CHECKING:
    from inspection.sensor import SensorModel, SensorStream

_KEPT = 64
"""Models that stay loaded; one of 32 values takes some hundred KB."""
_TRUSTED_S = 1.0
"""How long, in seconds, a model is used without asking a database that does not report changes."""

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in use.

    Attributes:
        version: what it was made of.
        model: with the threshold of its record.
        single_rows: scores one row after the other, faster than the model does; of a model of vectors alone.
    """

    version: ModelVersion
    model: SensorModel
    single_rows: SensorStream


class SensorShelf:
    """Finds the model that scores; safe to use from several threads.

    What was found is used again while the database has not changed (SQLite), or for a second (PostgreSQL): a model that
    another replica activates scores within that time.

    Args:
        database: has the records.
        objects: has the bytes.

    Attributes:
        runs: of anomalies in a row, by sensor.
    """

    def __init__(self, database: Database, objects: ObjectStore) -> None:
        self._database = database
        self._objects = objects
        self.runs = AnomalyRuns()
        self._lock = threading.Lock()
        self._found: OrderedDict[_Key, tuple[object, LoadedModel]] = OrderedDict()

    def active(self, sensor: str) -> LoadedModel:
        """Return the active model of a sensor.

        Raises:
            NotFound: ``anomaly-no-active-model``.
            InvalidInput: as ``model_from_bytes``, when its bytes are damaged.
        """
        found = self._present(("active", sensor), lambda connection: active_version(connection, sensor))
        if found is None:
            raise NotFound("anomaly-no-active-model", sensor=sensor)
        return found

    def model(self, model_id: str) -> LoadedModel:
        """Return a model by its id.

        Raises:
            NotFound: ``anomaly-model-unknown``, also for one that is not trained yet.
            InvalidInput: as ``model_from_bytes``, when its bytes are damaged.
        """
        found = self._present(("model", model_id), lambda connection: version_of(connection, model_id))
        if found is None:
            raise NotFound("anomaly-model-unknown")
        return found

    def load_active(self) -> None:
        """Load the active model of every sensor, so that a damaged one is reported when the server starts.

        Raises:
            Unavailable: ``anomaly-model-unusable`` with the sensor and the reason.
        """
        with self._database.connection() as connection:
            versions = active_versions(connection)
        for version in versions:
            try:
                self._loaded(version)
            except UserFacingError as error:
                raise Unavailable(
                    "anomaly-model-unusable",
                    sensor=version.sensor,
                    model=version.model_id,
                    sha256=version.sha256,
                    reason=error.text().detail,
                ) from error

    def load(self, sha256: str) -> SensorModel:
        """Return the model of an object, with the threshold it was trained with."""
        from inspection.sensor import model_from_bytes

        return model_from_bytes(self._objects.read(sha256), f"{sha256[:8]}.npz")

    def _present(self, key: _Key, query: Callable[[Connection], ModelVersion | None]) -> LoadedModel | None:
        state = self._state()
        kept = self._found.get(key)
        if kept is not None and kept[0] == state:
            return kept[1]
        with self._database.connection() as connection:
            version = query(connection)
        if version is None:
            with self._lock:
                self._found.pop(key, None)
            return None
        loaded = self._loaded(version, kept[1] if kept is not None else None)
        with self._lock:
            self._found[key] = state, loaded
            self._found.move_to_end(key)
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)
        return loaded

    def _loaded(self, version: ModelVersion, before: LoadedModel | None = None) -> LoadedModel:
        if before is not None and before.version == version:
            return before
        from inspection.sensor import SensorStream

        model = self.load(version.sha256).with_threshold(version.threshold)
        return LoadedModel(version, model, SensorStream(model))

    def _state(self) -> object:
        """Return what stays equal while the records cannot have changed."""
        version = self._database.data_version()
        return int(time.monotonic() / _TRUSTED_S) if version is None else version
