"""Sends blobs to the server: small ones many at once and first, large ones in pieces, newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, or_, select, update

from models.clock import utc_now
from models.database import Database
from models.errors import Conflict, DoesNotFit, NotFound, TooLarge, Unavailable
from models.sync import Blob
from sync.shared.blob_batches import MAX_BLOBS_BYTES, PackedBlob
from sync.shared.problems import code_of, problem_code
from sync.shared.protocol import MAX_BLOBS, UploadedBlob, UploadRequest, UploadState
from sync.station.blobs import BlobStore
from sync.station.client import ServerClient

SMALL_BYTES = 256 * 1024
"""Blobs up to this size go many at once."""
_PAGE = 2000
_SMALLEST_PIECE = 16 * 1024
_CORRECTIONS = 20
_CUT = frozenset({"server-unreachable", "server-too-slow"})
_NO_SUCH_BODY = "media-type-unsupported"


@dataclass(slots=True)
class PieceSize:
    """How much goes in one request: less after a cut connection, so that some comes over between two cuts.

    Attributes:
        most: bytes to begin with.
        now: bytes of the next request.
    """

    most: int
    now: int = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.most

    def halve(self) -> bool:
        """Make requests smaller; return False when they are as small as they get."""
        if self.now <= _SMALLEST_PIECE:
            return False
        self.now //= 2
        return True

    def grow(self) -> None:
        """Note that a request came over."""
        self.now = min(self.most, self.now * 2)


class _Waiting(NamedTuple):
    """A blob that the server has not acknowledged."""

    sha256: str
    size: int
    content_type: str
    created_at: datetime


@dataclass(slots=True)
class BlobSender:
    """Sends what the server has not acknowledged.

    Attributes:
        database: the station's.
        blobs: its blob store.
        client: the server.
        pieces: size of a request, kept from pass to pass.
        step: called with the number of blobs dealt with and their bytes; may raise to stop.
        between: called between requests; may raise to stop.
        sent: blobs acknowledged so far.
        problems: codes of what could not be sent and stopped nothing else.
    """

    database: Database
    blobs: BlobStore
    client: ServerClient
    pieces: PieceSize
    step: Callable[[int, int], None]
    between: Callable[[], None]
    sent: int = 0
    problems: list[str] = field(default_factory=list)
    _takes_many: bool = True
    _arrived: bool = True

    def send_all(self) -> None:
        """Send every blob the server has not acknowledged.

        Raises:
            UserFacingError: when the server does not answer; a partly sent blob continues next time.
        """
        for page in self._pages(small=True):
            left = page
            while left:
                left = left[self._send_some(left) :]
                self.between()
        for page in self._pages(small=False):
            for one in page:
                self._send_alone(one)

    def has_any(self) -> bool:
        """Return whether a file waits for the server."""
        with self.database.read() as session:
            return (
                session.scalar(select(Blob.sha256).where(Blob.present, Blob.uploaded_at.is_(None)).limit(1)) is not None
            )

    def _pages(self, *, small: bool) -> Iterator[list[_Waiting]]:
        size = Blob.size_bytes <= SMALL_BYTES if small else Blob.size_bytes > SMALL_BYTES
        query = (
            select(Blob.sha256, Blob.size_bytes, Blob.content_type, Blob.created_at)
            .where(Blob.present, Blob.uploaded_at.is_(None), size)
            .order_by(Blob.created_at.desc(), Blob.sha256.desc())
            .limit(_PAGE)
        )
        after = query
        while True:
            with self.database.read() as session:
                page = [_Waiting(*row) for row in session.execute(after)]
            if not page:
                return
            yield page
            last = page[-1]
            same_time = and_(Blob.created_at == last.created_at, Blob.sha256 < last.sha256)
            after = query.where(or_(Blob.created_at < last.created_at, same_time))

    def _send_some(self, waiting: Sequence[_Waiting]) -> int:
        """Send the first of ``waiting``, as many as go in one request, and return how many were dealt with."""
        chosen = self._first_of(waiting)
        if not self._takes_many or len(chosen) == 1:
            self._send_alone(chosen[0])
            return 1
        found = [(one, self._bytes(one)) for one in chosen]
        packed = [PackedBlob(_request(one, len(data)), data) for one, data in found if data is not None]
        try:
            results = self.client.send_blobs(packed).results if packed else []
        except Unavailable as error:
            if code_of(error) == _NO_SUCH_BODY:
                self._takes_many = False
            elif not self._goes_on(error):
                raise
            return 0
        except TooLarge:
            if not self.pieces.halve():
                raise
            return 0
        self._came_over()
        self._acknowledge([result.sha256 for result in results if result.complete])
        for result in results:
            if not result.complete:
                self._note_refusal(result)
        self.step(len(chosen), sum(one.size for one in chosen))
        return len(chosen)

    def _first_of(self, waiting: Sequence[_Waiting]) -> Sequence[_Waiting]:
        room = min(self.pieces.now, MAX_BLOBS_BYTES)
        count = 0
        for one in waiting[:MAX_BLOBS]:
            room -= one.size
            if room < 0:
                break
            count += 1
        return waiting[: max(count, 1)]

    def _bytes(self, one: _Waiting) -> bytes | None:
        try:
            return self.blobs.read(one.sha256)
        except NotFound:
            self.problems.append("blob-missing")
            return None

    def _note_refusal(self, result: UploadedBlob) -> None:
        damaged = not self.blobs.verify(result.sha256)
        self.problems.append("blob-damaged" if damaged else problem_code(result.problem))

    def _send_alone(self, one: _Waiting) -> None:
        """Send one blob in pieces."""
        if not self.blobs.exists(one.sha256):
            self.problems.append("blob-missing")
        elif self._whole(_request(one, self.blobs.size(one.sha256))):
            self._acknowledge([one.sha256])
        self.step(1, one.size)

    def _whole(self, request: UploadRequest) -> bool:
        """Send a blob; return whether the server has the whole of it now."""
        complete = False
        try:
            for state in self._states(request):
                complete = state.complete
                self.between()
        except DoesNotFit as error:
            damaged = not self.blobs.verify(request.sha256)
            self.problems.append("blob-damaged" if damaged else code_of(error))
            return False
        except TooLarge as error:
            self.problems.append(code_of(error))
            return False
        return complete

    def _states(self, request: UploadRequest) -> Iterator[UploadState]:
        """Send piece after piece and yield what the server has; the server decides the next offset."""
        state = self.client.begin_upload(request)
        corrections = 0
        with self.blobs.open(request.sha256) as file:
            yield state
            while not state.complete:
                file.seek(state.offset)
                data = file.read(self.pieces.now)
                try:
                    state = self.client.send_chunk(request.sha256, state.offset, data, request.size)
                    self._came_over()
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
                except Unavailable as error:
                    if not self._goes_on(error):
                        raise
                    state = self.client.begin_upload(request)
                except TooLarge:
                    if not self.pieces.halve():
                        raise
                yield state

    def _came_over(self) -> None:
        self._arrived = True
        self.pieces.grow()

    def _goes_on(self, error: Unavailable) -> bool:
        """Return whether to try again at once: the connection was cut, and something came over since the last cut."""
        if error.code not in _CUT:
            return False
        self.pieces.halve()
        arrived, self._arrived = self._arrived, False
        return arrived

    def _acknowledge(self, digests: Sequence[str]) -> None:
        if not digests:
            return
        with self.database.local_transaction() as session:
            session.execute(update(Blob).where(Blob.sha256.in_(digests)).values(uploaded_at=utc_now()))
        self.sent += len(digests)


def _request(one: _Waiting, size: int) -> UploadRequest:
    return UploadRequest(sha256=one.sha256, size=size, content_type=one.content_type)


def _right_offset(error: Conflict) -> int | None:
    problem = error.members.get("problem")
    offset = problem.get("offset") if isinstance(problem, dict) else None
    return offset if isinstance(offset, int) and offset >= 0 else None
