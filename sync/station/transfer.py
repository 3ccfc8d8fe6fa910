"""Moves blobs: images up, models down, in pieces, continuing after an interrupted connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from models.clock import utc_now
from models.database import Database
from models.errors import Conflict, DoesNotFit, NotFound, TooLarge
from models.pipelines import ModelFile, Pipeline
from models.sync import Blob
from models.targets import InspectionItem
from sync.shared.problems import code_of
from sync.shared.protocol import UploadRequest, UploadState
from sync.station.blobs import BlobStore, blob_not_written, remember_blob
from sync.station.client import ServerClient
from sync.station.status import Stage

_PAGE = 100
_SMALLEST_CHUNK = 16 * 1024
_CORRECTIONS = 20


@dataclass(slots=True)
class BlobTransfer:
    """Sends blobs the server does not have and fetches models this station needs.

    Attributes:
        database: the station's.
        blobs: its blob store.
        client: the server.
        chunk_bytes: size of a piece.
        step: called after each blob with its stage; may raise to stop.
        check: called between pieces; may raise to stop.
        sent: blobs acknowledged so far.
        fetched: blobs fetched so far.
        problems: codes of what could not be moved and stopped nothing else.
    """

    database: Database
    blobs: BlobStore
    client: ServerClient
    chunk_bytes: int
    step: Callable[[Stage], None]
    check: Callable[[], None]
    sent: int = 0
    fetched: int = 0
    problems: list[str] = field(default_factory=list)

    def send_all(self) -> None:
        """Send every blob the server has not acknowledged.

        Raises:
            UserFacingError: when the server does not answer; a partly sent blob continues next time.
        """
        last = ""
        while page := self._waiting(last):
            last = page[-1].sha256
            for blob in page:
                if self._send(blob):
                    self._acknowledge(blob.sha256)
                    self.sent += 1
                self.step("upload")

    def fetch_all(self) -> None:
        """Fetch the models that items here use and that are missing here; one the server lacks waits."""
        for model in self._wanted():
            self.check()
            if self._fetch(model.sha256):
                with self.database.transaction() as session:
                    blob = remember_blob(session, model.sha256, model.size_bytes, "application/octet-stream")
                    blob.uploaded_at = blob.uploaded_at or utc_now()
                self.fetched += 1
            self.step("download")

    def _waiting(self, after: str) -> list[Blob]:
        query = (
            select(Blob)
            .where(Blob.present, Blob.uploaded_at.is_(None), Blob.sha256 > after)
            .order_by(Blob.sha256)
            .limit(_PAGE)
        )
        with self.database.read() as session:
            return list(session.scalars(query))

    def _send(self, blob: Blob) -> bool:
        """Send one blob; return whether the server has the whole of it now."""
        if not self.blobs.exists(blob.sha256):
            self.problems.append("blob-missing")
            return False
        request = UploadRequest(sha256=blob.sha256, size=self.blobs.size(blob.sha256), content_type=blob.content_type)
        try:
            complete = False
            for state in self._pieces(request):
                complete = state.complete
                self.check()
        except DoesNotFit as error:
            damaged = not self.blobs.verify(blob.sha256)
            self.problems.append("blob-damaged" if damaged else code_of(error))
            return False
        except TooLarge as error:
            self.problems.append(code_of(error))
            return False
        return complete

    def _pieces(self, request: UploadRequest) -> Iterator[UploadState]:
        """Send piece after piece and yield what the server has; the server decides the next offset."""
        state = self.client.begin_upload(request)
        corrections = 0
        length = self.chunk_bytes
        with self.blobs.open(request.sha256) as file:
            yield state
            while not state.complete:
                file.seek(state.offset)
                data = file.read(length)
                try:
                    state = self.client.send_chunk(request.sha256, state.offset, data, request.size)
                except Conflict as error:
                    corrections += 1
                    offset = _right_offset(error)
                    if offset is None or offset > request.size or corrections > _CORRECTIONS:
                        raise
                    state = (
                        self.client.begin_upload(request)
                        if offset == request.size
                        else UploadState(offset=offset, complete=False)
                    )
                except TooLarge:
                    if length <= _SMALLEST_CHUNK:
                        raise
                    length //= 2
                yield state

    def _acknowledge(self, sha256: str) -> None:
        with self.database.transaction() as session:
            blob = session.get(Blob, sha256)
            if blob is not None:
                blob.uploaded_at = utc_now()

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
            used = {identifier for texts in values for identifier in texts}
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


def _right_offset(error: Conflict) -> int | None:
    problem = error.members.get("problem")
    offset = problem.get("offset") if isinstance(problem, dict) else None
    return offset if isinstance(offset, int) and offset >= 0 else None
