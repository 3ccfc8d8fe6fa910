"""A station's requests: with a token of its own, patient with a busy server, and answered by what the protocol says."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from models.errors import NotSignedIn, TooManyRequests, Unavailable, UserFacingError
from sync.shared.problems import (
    BUSY,
    CREDENTIAL_MISSING,
    DEVICE_REFUSED,
    DEVICE_REVOKED,
    code_of,
    retry_after_s,
)
from sync.shared.sign_in import DeviceToken
from sync.station.transport import Transport, json_of, not_ours

if TYPE_CHECKING:
    import httpx

_Answer = TypeVar("_Answer", bound=BaseModel)
_MARGIN_S = 30.0
_PATIENCE_S = 600.0
"""How long one request is put off by a busy server before its pass fails."""
_RANDOM = secrets.SystemRandom()


class StationRequests:
    """Sends requests to one server as one station; safe to use from several threads.

    Args:
        base_url: ``http://host:port`` or ``https://…``.
        device_id: None before enrolment.
        credential: gives the station's credential, None when it is not known.
        on_checked: called with each credential the server has checked and whether it accepts it.
        on_revoked: called when the server says that the station is revoked; the credential is to be wiped.
        timeout_s: of connecting, and of each wait for bytes.
        language: gives the language of the server's texts; it may change while the client lives.
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
        language: Callable[[], str] = lambda: "en",
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

    def authenticate_device(self) -> str:
        """Return an access token of the station itself, a kept one while it is good.

        Raises:
            NotSignedIn: ``device-credential-missing``, or the server does not accept the credential.
        """
        with self._lock:
            if self._token is None or time.monotonic() >= self._expires:
                token = parsed(DeviceToken, self._as_device("/tauri/auth/device", {}))
                self._token = token.access_token
                self._expires = time.monotonic() + max(token.expires_in - _MARGIN_S, token.expires_in / 2)
            return self._token

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

    def _send(self, method: str, path: str, token: str | None, **options: Any) -> httpx.Response:
        """Send a request with a token; the station's own is renewed once when the server no longer takes it."""
        headers = options.pop("headers", {})
        if token is not None:
            return self._transport.request(method, path, headers={**headers, **bearer(token)}, **options)
        try:
            own = bearer(self.authenticate_device())
            return self._transport.request(method, path, headers={**headers, **own}, **options)
        except NotSignedIn as error:
            if code_of(error) == CREDENTIAL_MISSING or self._token is None:
                raise
        with self._lock:
            self._token = None
        own = bearer(self.authenticate_device())
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


def bearer(token: str) -> dict[str, str]:
    """Return the header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


def parsed(kind: type[_Answer], answer: httpx.Response) -> _Answer:
    """Return an answer as what the protocol says it is.

    Raises:
        Unavailable: ``server-not-ours`` when it is something else.
    """
    try:
        return kind.model_validate(json_of(answer))
    except ValidationError as error:
        raise not_ours(answer) from error
