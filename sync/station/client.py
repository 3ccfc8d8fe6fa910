"""The station's calls of the server: enrolment, sign-in, push, pull, snapshot, blobs."""

from __future__ import annotations

import gzip
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from models.errors import NotSignedIn, TooManyRequests, Unavailable, UserFacingError
from sync.shared.blob_batches import BLOBS_TYPE, PackedBlob, pack_blobs
from sync.shared.enrolment import DeviceRegistered
from sync.shared.problems import (
    BUSY,
    CREDENTIAL_MISSING,
    DEVICE_REFUSED,
    DEVICE_REVOKED,
    batch_too_large,
    code_of,
    retry_after_s,
)
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
from sync.shared.sign_in import DeviceToken, TokenPair
from sync.station.live_connection import live_connection
from sync.station.transport import API, Transport, json_of, not_ours

if TYPE_CHECKING:
    import httpx
    from websockets.sync.client import ClientConnection

_Answer = TypeVar("_Answer", bound=BaseModel)
_LINE: TypeAdapter[SnapshotLine] = TypeAdapter(SnapshotLine)
_MARGIN_S = 30.0
_PATIENCE_S = 600.0
"""How long one request is put off by a busy server before its pass fails."""
_RANDOM = secrets.SystemRandom()
_GZIP_FROM = 1024


class ServerClient:
    """Calls one server as one station; safe to use from several threads.

    Args:
        base_url: ``http://host:port`` or ``https://…``.
        device_id: None before enrolment.
        credential: gives the station's credential, None when it is not known.
        on_checked: called with each credential the server has checked and whether it accepts it.
        on_revoked: called when the server says that the station is revoked; the credential is to be wiped.
        timeout_s: of connecting, and of each wait for bytes.
        language: of the server's texts.
        verify: check the server's certificate; a path names a certificate authority of one's own.

    Attributes:
        pause: waits some seconds between two requests of a pass; may raise to stop.
    """

    def __init__(
        self,
        base_url: str,
        *,
        device_id: str | None = None,
        credential: Callable[[], str | None] | None = None,
        on_checked: Callable[[str, bool], object] | None = None,
        on_revoked: Callable[[], object] | None = None,
        timeout_s: float = 10.0,
        language: str = "en",
        verify: bool | str = True,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.device_id = device_id
        self._credential = credential or (lambda: None)
        self._on_checked = on_checked or (lambda _credential, _accepted: None)
        self._on_revoked = on_revoked or (lambda: None)
        self.pause: Callable[[float], None] = time.sleep
        self._timeout_s = timeout_s
        self._transport = Transport(base_url, timeout_s=timeout_s, language=language, verify=verify)
        self._lock = threading.Lock()
        self._token: str | None = None
        self._expires = 0.0

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def abort(self) -> None:
        """Cut every request that is under way, from any thread; each ends as with a connection that was cut."""
        self._transport.abort()

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
        return _parsed(DeviceRegistered, self._transport.request("POST", "/tauri/devices/register", json=body))

    def login(self, username: str, password: str) -> TokenPair:
        """Sign a user in, at this station when it is enrolled.

        Raises:
            NotSignedIn: wrong name, password or credential.
        """
        body = {"username": username, "password": password}
        if self.device_id is None:
            return _parsed(TokenPair, self._transport.request("POST", "/auth/login", json=body))
        return _parsed(TokenPair, self._as_device("/tauri/auth/login", body))

    def refresh(self, refresh_token: str) -> TokenPair:
        """Return a new pair for a refresh token, which is good once."""
        answer = self._transport.request("POST", "/auth/refresh", json={"refresh_token": refresh_token})
        return _parsed(TokenPair, answer)

    def logout(self, access_token: str) -> None:
        """End a user's session on the server."""
        self._transport.request("POST", "/auth/logout", headers=_bearer(access_token))

    def authenticate_device(self) -> str:
        """Return an access token of the station itself, a kept one while it is good.

        Raises:
            NotSignedIn: ``device-credential-missing``, or the server does not accept the credential.
        """
        with self._lock:
            if self._token is None or time.monotonic() >= self._expires:
                token = _parsed(DeviceToken, self._as_device("/tauri/auth/device", {}))
                self._token = token.access_token
                self._expires = time.monotonic() + max(token.expires_in - _MARGIN_S, token.expires_in / 2)
            return self._token

    def listen(self, opened: Callable[[socket.socket], object]) -> AbstractContextManager[ClientConnection]:
        """Return the WebSocket connection on which the server says when there is something to pull, for a block.

        Args:
            opened: see ``live_connection``, as for what the block raises.

        Raises:
            UserFacingError: as ``authenticate_device`` does.
        """
        headers = _bearer(self.authenticate_device())
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
        return _parsed(ClaimAnswer, answer)

    def _patiently(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request of a pass; a server that is busy is asked again when it says, some later than others."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return self._send(method, path, None, **options)
            except (TooManyRequests, Unavailable) as error:
                wait = _wait_of(error, until)
            self.pause(wait)

    @contextmanager
    def _streamed(self, path: str, **options: Any) -> Iterator[httpx.Response]:
        """Give an answer before its body is read; see ``_patiently``."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                with self._transport.stream("GET", path, **options) as answer:
                    yield answer
            except (TooManyRequests, Unavailable) as error:
                wait = _wait_of(error, until)
            else:
                return
            self.pause(wait)

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
        return _parsed(PushAnswer, self._patiently("POST", f"{SYNC_PATH}/apply-changes", content=data, headers=headers))

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
        return _parsed(PullAnswer, self._patiently("GET", f"{SYNC_PATH}/changes", params=params))

    def compare(self, held: Inventory) -> Lacking:
        """Return what of the station's own records and blobs the server does not have."""
        answer = self._patiently("POST", f"{SYNC_PATH}/compare", json=held.model_dump(mode="json"))
        return _parsed(Lacking, answer)

    def drift(self, question: DriftQuestion) -> DriftAnswer:
        """Return where the server holds something else than the station.

        Raises:
            NotFound: the server is older than this question.
        """
        answer = self._patiently("POST", f"{SYNC_PATH}/drift", json=question.model_dump(mode="json"))
        return _parsed(DriftAnswer, answer)

    def snapshot(self, resume: str | None = None) -> Iterator[SnapshotLine]:
        """Yield the lines of the snapshot, from a mark on when one is given.

        Raises:
            Unavailable: also in the middle; go on from the last mark.
        """
        params = {"cursor": resume} if resume else {}
        headers = _bearer(self.authenticate_device())
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
        return _parsed(UploadState, answer)

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
        return _parsed(UploadState, self._patiently("POST", f"{SYNC_PATH}/upload", **options))

    def send_blobs(self, blobs: Sequence[PackedBlob]) -> UploadedBlobs:
        """Send several whole blobs in one request.

        Raises:
            Unavailable: a server from before this kind of body says ``media-type-unsupported``.
        """
        options: dict[str, Any] = {"content": pack_blobs(blobs), "headers": {"Content-Type": BLOBS_TYPE}}
        return _parsed(UploadedBlobs, self._patiently("POST", f"{SYNC_PATH}/upload", **options))

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
        headers = _bearer(self.authenticate_device())
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

    def _send(self, method: str, path: str, token: str | None, **options: Any) -> httpx.Response:
        """Send a request with a token; the station's own is renewed once when the server no longer takes it."""
        headers = options.pop("headers", {})
        if token is not None:
            return self._transport.request(method, path, headers={**headers, **_bearer(token)}, **options)
        try:
            own = _bearer(self.authenticate_device())
            return self._transport.request(method, path, headers={**headers, **own}, **options)
        except NotSignedIn as error:
            if code_of(error) == CREDENTIAL_MISSING or self._token is None:
                raise
        with self._lock:
            self._token = None
        own = _bearer(self.authenticate_device())
        return self._transport.request(method, path, headers={**headers, **own}, **options)

    def _as_device(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Send what proves the station along with ``body`` and note whether the server takes it."""
        credential = self._known_credential()
        proof = {"device_id": self.device_id, "credential": credential}
        try:
            answer = self._transport.request("POST", path, json=body | proof)
        except NotSignedIn as error:
            if code_of(error) == DEVICE_REVOKED:
                self._on_revoked()
            elif error.code != "server-refused-unexplained":  # by something between: no word on the credential
                # A user's name or password is looked at after the station was accepted.
                self._on_checked(credential, code_of(error) != DEVICE_REFUSED)
            raise
        self._on_checked(credential, True)
        return answer

    def _known_credential(self) -> str:
        credential = self._credential() if self.device_id is not None else None
        if credential is None:
            raise NotSignedIn(CREDENTIAL_MISSING)
        return credential


def _wait_of(error: UserFacingError, until: float) -> float:
    """Return the seconds to wait before a busy server is asked again, half of them random, so that stations part.

    Raises:
        UserFacingError: ``error``, when it is another trouble or time is up.
    """
    wait = retry_after_s(error)
    if wait is None or code_of(error) not in BUSY or time.monotonic() + wait > until:
        raise error
    return wait * (1 + _RANDOM.random() / 2)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _parsed(kind: type[_Answer], answer: httpx.Response) -> _Answer:
    try:
        return kind.model_validate(json_of(answer))
    except ValidationError as error:
        raise Unavailable("server-not-ours", server=str(answer.request.url.copy_with(query=None, path="/"))) from error
