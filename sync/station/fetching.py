"""Fetches the models that items here use, in pieces, continuing after an interrupted connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from models.clock import utc_now
from models.database import Database
from models.errors import NotFound
from models.pipelines import ModelFile, Pipeline
from models.targets import InspectionItem
from sync.shared.problems import code_of
from sync.station.blobs import BlobStore, blob_not_written, remember_blob
from sync.station.client import ServerClient
from sync.station.releases import wanted_models


@dataclass(slots=True)
class BlobFetcher:
    """Fetches models this station needs.

    Attributes:
        database: the station's.
        blobs: its blob store.
        client: the server.
        step: called with the number of blobs fetched and their bytes; may raise to stop.
        check: called between pieces; may raise to stop.
        device_id: this station, for the models of releases meant for it.
        fetched: blobs fetched so far.
        problems: codes of what could not be fetched and stopped nothing else.
    """

    database: Database
    blobs: BlobStore
    client: ServerClient
    step: Callable[[int, int], None]
    check: Callable[[], None]
    device_id: str
    fetched: int = 0
    problems: list[str] = field(default_factory=list)

    def fetch_all(self) -> None:
        """Fetch the models that items here use and that are missing here; one the server lacks waits."""
        for model in self._wanted():
            self.check()
            if self._fetch(model.sha256):
                with self.database.transaction() as session:
                    blob = remember_blob(session, model.sha256, model.size_bytes, "application/octet-stream")
                    blob.uploaded_at = blob.uploaded_at or utc_now()
                self.fetched += 1
            self.step(1, model.size_bytes)

    def has_any(self) -> bool:
        """Return whether a file that items here use is missing here."""
        return bool(self._wanted())

    def _wanted(self) -> list[ModelFile]:
        """Return the model files and reference images that items use and whose blob is not here."""
        with self.database.read() as session:
            parameters = session.scalars(
                select(InspectionItem.pipeline_parameters).where(InspectionItem.deleted_at.is_(None))
            ).all()
            definitions = session.scalars(
                select(Pipeline.definition)
                .join(InspectionItem, InspectionItem.pipeline_id == Pipeline.id)
                .where(InspectionItem.deleted_at.is_(None))
                .distinct()
            ).all()
            values = [*map(_values_of_item, parameters), *map(_values_of_pipeline, definitions)]
            used = {identifier for texts in values for identifier in texts} | wanted_models(session, self.device_id)
            if not used:
                return []
            files = session.scalars(select(ModelFile).where(ModelFile.id.in_(used), ModelFile.deleted_at.is_(None)))
            return [model for model in files if not self.blobs.exists(model.sha256)]

    def _fetch(self, sha256: str) -> bool:
        try:
            self.client.download_blob(sha256, self.blobs.partial(sha256), lambda _held: self.check())
        except NotFound as error:
            self.problems.append(code_of(error))
            return False
        except OSError as error:
            raise blob_not_written(self.blobs.directory, error) from error
        if self.blobs.adopt(sha256):
            return True
        self.problems.append("blob-digest-differs")
        return False


def _values_of_item(steps: dict[str, Any]) -> set[str]:
    """Return the texts among an item's parameters: step → parameter → value.

    Which parameters name a file is known to the components alone; a file is used when one of the texts is its id.
    """
    return {text for parameters in steps.values() for text in _texts(parameters)}


def _values_of_pipeline(definition: dict[str, Any]) -> set[str]:
    """Return the texts among the parameters of a pipeline's own steps."""
    steps = definition.get("steps")
    parameters = [step.get("parameters") for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    return {text for values in parameters for text in _texts(values)}


def _texts(parameters: object) -> Iterator[str]:
    if isinstance(parameters, dict):
        yield from (value for value in parameters.values() if isinstance(value, str))
