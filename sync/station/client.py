"""The station's calls of the server: enrolment, sign-in, push, pull, snapshot, blobs."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from sync.shared.blob_batches import BLOBS_TYPE, PackedBlob, pack_blobs
from sync.shared.enrolment import DeviceRegistered
from sync.shared.problems import batch_too_large
from sync.shared.protocol import (
    LIVE_SYNC_PATH,
    MAX_BATCH_BYTES,
    SYNC_PATH,
    Batch,
    ClaimAnswer,
    DriftAnswer,
    DriftQuestion,
    Inventory,
    Lacking,
    PullAnswer,
    PushAnswer,
    SnapshotLine,
    StoreClaim,
    UploadedBlobs,
    UploadRequest,
    UploadState,
)
from sync.shared.sign_in import TokenPair
from sync.station.live_connection import live_connection
from sync.station.station_requests import StationRequests, bearer, parsed
from sync.station.transport import API, json_of, not_ours

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_LINE: TypeAdapter[SnapshotLine] = TypeAdapter(SnapshotLine)
_GZIP_FROM = 1024


class ServerClient(StationRequests):
    """Calls one server as one station; safe to use from several threads."""

    @property
    def clock_ahead_s(self) -> float | None:
        """By how many seconds this computer's clock is ahead of the server's; None before the first answer."""
        return self._transport.clock_ahead_s

    def health(self) -> dict[str, Any]:
        """Return the answer of ``/health``.

        Raises:
            Unavailable: when the server cannot be reached or is not well.
        """
        answer = json_of(self._transport.request("GET", "//health"))
        return answer if isinstance(answer, dict) else {}

    def register_device(self, code: str, name: str = "", former: tuple[str, str] | None = None) -> DeviceRegistered:
        """Enrol this station with a one-time code; later calls go as this station once the caller knows its id.

        Args:
            code: of an administrator.
            name: of the station; empty takes the administrator's.
            former: id and credential of the station whose store this was.
        """
        body = {"code": code, **({"name": name} if name else {})}
        if former is not None:
            body |= {"former_device_id": former[0], "former_credential": former[1]}
        return parsed(DeviceRegistered, self._transport.request("POST", "/tauri/devices/register", json=body))

    def login(self, username: str, password: str) -> TokenPair:
        """Sign a user in, at this station when it is enrolled.

        Raises:
            NotSignedIn: wrong name, password or credential.
        """
        body = {"username": username, "password": password}
        if self.device_id is None:
            return parsed(TokenPair, self._transport.request("POST", "/auth/login", json=body))
        return parsed(TokenPair, self._as_device("/tauri/auth/login", body))

    def refresh(self, refresh_token: str) -> TokenPair:
        """Return a new pair for a refresh token, which is good once."""
        answer = self._transport.request("POST", "/auth/refresh", json={"refresh_token": refresh_token})
        return parsed(TokenPair, answer)

    def logout(self, access_token: str) -> None:
        """End a user's session on the server."""
        self._transport.request("POST", "/auth/logout", headers=bearer(access_token))

    def listen(self, opened: Callable[[socket.socket], object]) -> AbstractContextManager[ClientConnection]:
        """Return the WebSocket connection on which the server says when there is something to pull, for a block.

        Args:
            opened: see ``live_connection``, as for what the block raises.

        Raises:
            UserFacingError: as ``authenticate_device`` does.
        """
        headers = bearer(self.authenticate_device())
        options = {"verify": self._transport.verify, "timeout_s": self._timeout_s}
        return live_connection(f"{self.base_url}{API}{LIVE_SYNC_PATH}", headers, opened, **options)

    def get_bytes(self, path: str, params: dict[str, Any] | None = None, token: str | None = None) -> bytes:
        """Return the bytes at a path below ``/api/v1``."""
        return self._send("GET", path, token, params=params).content

    def release_key(self) -> str:
        """Return the public key of the server's model releases."""
        answer = json_of(self._send("GET", "/inspection/models/key", None))
        return str(answer.get("public_key", "")) if isinstance(answer, dict) else ""

    def begin(self, claim: StoreClaim) -> ClaimAnswer:
        """Begin a pass of this store.

        Raises:
            Conflict: ``store-forked`` when another store is this station's own.
            NotFound: the server is older than claims.
        """
        answer = self._patiently("POST", f"{SYNC_PATH}/begin", json=claim.model_dump(mode="json"))
        return parsed(ClaimAnswer, answer)

    def push(self, batch: Batch) -> PushAnswer:
        """Send a batch of changes.

        Raises:
            TooLarge: more than a server takes at once; its members say how much it takes.
        """
        data = batch.model_dump_json().encode()
        if len(data) > MAX_BATCH_BYTES:
            raise batch_too_large()
        headers = {"Content-Type": "application/json"}
        if len(data) >= _GZIP_FROM:
            data = gzip.compress(data, compresslevel=6, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return parsed(PushAnswer, self._patiently("POST", f"{SYNC_PATH}/apply-changes", content=data, headers=headers))

    def pull(self, since: str | None, limit: int, known: str | None = None) -> PullAnswer:
        """Return the changes after a cursor.

        Args:
            since: the cursor; None is the beginning.
            limit: most changes.
            known: cursor of the newest acknowledgement, for the server to look at.

        Raises:
            Gone: the snapshot is needed.
        """
        cursors = {name: value for name, value in (("since", since), ("known", known)) if value}
        params: dict[str, Any] = {"limit": limit, **cursors}
        return parsed(PullAnswer, self._patiently("GET", f"{SYNC_PATH}/changes", params=params))

    def compare(self, held: Inventory) -> Lacking:
        """Return what of the station's own records and blobs the server does not have."""
        answer = self._patiently("POST", f"{SYNC_PATH}/compare", json=held.model_dump(mode="json"))
        return parsed(Lacking, answer)

    def drift(self, question: DriftQuestion) -> DriftAnswer:
        """Return where the server holds something else than the station.

        Raises:
            NotFound: the server is older than this question.
        """
        answer = self._patiently("POST", f"{SYNC_PATH}/drift", json=question.model_dump(mode="json"))
        return parsed(DriftAnswer, answer)

    def snapshot(self, resume: str | None = None) -> Iterator[SnapshotLine]:
        """Yield the lines of the snapshot, from a mark on when one is given.

        Raises:
            Unavailable: also in the middle; go on from the last mark.
        """
        params = {"cursor": resume} if resume else {}
        headers = bearer(self.authenticate_device())
        with self._streamed(f"{SYNC_PATH}/download", params=params, headers=headers) as answer:
            for line in answer.iter_lines():
                if not line:
                    continue
                try:
                    yield _LINE.validate_json(line)
                except ValidationError as error:
                    raise not_ours(answer) from error

    def begin_upload(self, request: UploadRequest) -> UploadState:
        """Announce a blob and learn where to go on."""
        answer = self._patiently("POST", f"{SYNC_PATH}/upload", json=request.model_dump())
        return parsed(UploadState, answer)

    def send_chunk(self, sha256: str, offset: int, data: bytes, total: int) -> UploadState:
        """Send a piece of a blob.

        Raises:
            Conflict: the server has another offset, ``offset`` in the problem.
            DoesNotFit: the whole has not the digest; the server has discarded it.
        """
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {offset}-{offset + len(data) - 1}/{total}",
        }
        options: dict[str, Any] = {"params": {"sha256": sha256}, "content": data, "headers": headers}
        return parsed(UploadState, self._patiently("POST", f"{SYNC_PATH}/upload", **options))

    def send_blobs(self, blobs: Sequence[PackedBlob]) -> UploadedBlobs:
        """Send several whole blobs in one request.

        Raises:
            Unavailable: a server from before this kind of body says ``media-type-unsupported``.
        """
        options: dict[str, Any] = {"content": pack_blobs(blobs), "headers": {"Content-Type": BLOBS_TYPE}}
        return parsed(UploadedBlobs, self._patiently("POST", f"{SYNC_PATH}/upload", **options))

    def download_blob(self, sha256: str, target: Path, progress: Callable[[int], None] | None = None) -> None:
        """Fetch a blob into a file, continuing an interrupted download; the caller checks its digest.

        Args:
            sha256: of the blob.
            target: gathers the bytes; what it holds already is not asked for again.
            progress: gets the number of bytes there are so far.

        Raises:
            NotFound: the server does not have it, or not for this station.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        held = target.stat().st_size if target.exists() else 0
        headers = bearer(self.authenticate_device())
        if held:
            headers["Range"] = f"bytes={held}-"
        options: dict[str, Any] = {"params": {"blob": sha256}, "headers": headers}
        with self._streamed(f"{SYNC_PATH}/download", **options) as answer:
            resumed = answer.status_code == HTTPStatus.PARTIAL_CONTENT
            with target.open("ab" if resumed else "wb") as file:
                for piece in answer.iter_bytes():
                    file.write(piece)
                    if progress is not None:
                        progress(file.tell())
