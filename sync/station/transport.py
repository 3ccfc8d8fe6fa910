"""HTTP to the server: trouble of the network and refusals of the server become the errors of ``models.errors``."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from models.clock import utc_now
from models.errors import Unavailable, UserFacingError
from sync.shared.problems import RETRY_AFTER, error_of
from sync.station.trust import certificate_trouble, server_trust, speaks_tls

if TYPE_CHECKING:
    import httpx

API = "/api/v1"
_PROBLEM_BYTES = 64 * 1024
_HTTP_PORT = 80
_PROMPT_S = 30.0
_IDLE_S = 2.0
_ASKED_S = 5.0
"""For an answer to the question whether a server wants encrypted connections."""
"""How long an idle connection is used again: for less time than a server keeps it (5 s), which would otherwise close
it just as a request is on its way."""
_CONNECTED = (".connect_tcp.complete", ".start_tls.complete")


class Transport:
    """One connection pool to one server; safe to use from several threads.

    Args:
        base_url: ``http://host:port`` or ``https://…``, without the API's path.
        timeout_s: of connecting, and of each wait for bytes.
        language: gives ``"en"`` or ``"ja"`` for the server's texts, asked at each request.
        verify: check the server's certificate; a path names a certificate authority of one's own.

    Attributes:
        verify: as given, or the context made of it.
        clock_ahead_s: by how much this computer's clock was ahead of the server's at the last answer; None before one.
    """

    def __init__(self, base_url: str, *, timeout_s: float, language: Callable[[], str], verify: bool | str) -> None:
        self.base_url = base_url.rstrip("/")
        self._is_encrypted = self.base_url.lower().startswith("https:")
        self._timeout_s, self._language = timeout_s, language
        self.verify: Any = verify
        if isinstance(verify, str):
            import ssl

            self.verify = ssl.create_default_context(cafile=verify)
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None
        self._closed = False
        self._aborts = 0
        self.clock_ahead_s: float | None = None
        self._streams: WeakSet[Any] = WeakSet()
        self._traced = {"trace": self._note_connection}

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            self._closed = True
            if self._http is not None:
                self._http.close()

    def abort(self) -> None:
        """Cut every connection; a request that waits for an answer ends with ``server-unreachable``."""
        with self._lock:
            self._aborts += 1
            streams = list(self._streams)
        for stream in streams:
            connection = stream.get_extra_info("socket")
            if isinstance(connection, socket.socket):
                with suppress(OSError):  # closed meanwhile
                    # Not by the method of a TLS socket, which gives up its encryption first.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _note_connection(self, event: str, found: Mapping[str, Any]) -> None:
        if event.endswith(_CONNECTED):
            with self._lock:
                self._streams.add(found["return_value"])

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request and return the answer, all of it read.

        Args:
            method: of HTTP.
            path: below ``/api/v1``; one that begins with ``//`` is below the root.
            **options: of ``httpx.Client.request``.

        Raises:
            Unavailable: ``server-unreachable``, ``server-certificate-untrusted``, ``server-without-tls``,
                ``server-needs-tls``, ``server-too-slow``, ``server-failing``.
            UserFacingError: by the status of the server's problem document.
        """
        with self._trouble():
            answer = self._connections().request(method, self._url(path), **self._completed(options))
            self._compare_clocks(answer)
        _raise_for(answer)
        return answer

    @contextmanager
    def stream(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """Send a request and give the answer before its body is read; raises as ``request`` does."""
        with (
            self._trouble(),
            self._connections().stream(method, self._url(path), **self._completed(options)) as answer,
        ):
            if answer.is_error:
                answer.read()
                _raise_for(answer)
            yield answer

    def _connections(self) -> httpx.Client:
        """Return the connections; library and certificates are loaded for the first request, not for a window.

        Raises:
            RuntimeError: after ``close``.
        """
        import httpx

        with self._lock:
            if self._closed:
                raise RuntimeError("the connections to the server are closed")
            if self._http is None:
                # trust_env off: no proxy variable leads a station's data elsewhere than to the configured server.
                self._http = httpx.Client(
                    timeout=self._timeout_s,
                    verify=server_trust() if self.verify is True and self._is_encrypted else self.verify,
                    trust_env=False,
                    limits=httpx.Limits(max_connections=8, max_keepalive_connections=2, keepalive_expiry=_IDLE_S),
                )
            return self._http

    def _completed(self, options: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"Accept-Language": self._language(), **(options.get("headers") or {})}
        return {**options, "headers": headers, "extensions": self._traced}

    def _url(self, path: str) -> str:
        return self.base_url + (path[1:] if path.startswith("//") else API + path)

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        import httpx

        aborts = self._aborts
        try:
            yield
        except httpx.TimeoutException as error:
            raise Unavailable("server-too-slow", server=self.base_url) from error
        except (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL, httpx.StreamError) as error:
            trouble = certificate_trouble(error, self.base_url)
            if trouble is None and aborts == self._aborts:  # What was cut here says nothing of the server.
                trouble = self._tls_trouble(error)
            raise trouble or Unavailable("server-unreachable", server=self.base_url) from error

    def _compare_clocks(self, answer: httpx.Response) -> None:
        if answer.elapsed.total_seconds() > _PROMPT_S:
            return  # The server named its time when it began to answer.
        with suppress(ValueError, TypeError):  # a proxy that names no time, or none that is one
            ahead = utc_now() - parsedate_to_datetime(answer.headers.get("date", ""))
            self.clock_ahead_s = ahead.total_seconds()

    def _tls_trouble(self, error: Exception) -> Unavailable | None:
        """Return the error for a server that takes encrypted connections alone, and closes this plain one.

        Asked only where nothing has been answered so far: a server that answers in plain text does not need it.
        """
        import httpx

        is_closed = isinstance(error, httpx.RemoteProtocolError | httpx.ReadError)
        if self._is_encrypted or self.clock_ahead_s is not None or not is_closed:
            return None
        url = httpx.URL(self.base_url)
        if not speaks_tls(url.host, url.port or _HTTP_PORT, min(self._timeout_s, _ASKED_S)):
            return None
        return Unavailable("server-needs-tls", server=self.base_url)


def json_of(answer: httpx.Response) -> Any:
    """Return the JSON of an answer.

    Raises:
        Unavailable: ``server-not-ours`` when it is none: something else answers at this address.
    """
    try:
        return answer.json()
    except ValueError as error:
        raise not_ours(answer) from error


def not_ours(answer: httpx.Response) -> UserFacingError:
    """Return the error for an answer that is not of this product's server."""
    return Unavailable("server-not-ours", server=str(answer.request.url.copy_with(query=None, path="/")))


def _needs_tls(answer: httpx.Response) -> UserFacingError | None:
    """Return the error for a proxy that answers a plain request on its encrypted port, as nginx and Go's servers do."""
    refused = answer.status_code == HTTPStatus.BAD_REQUEST and b"HTTPS" in answer.content
    if answer.request.url.scheme != "http" or not refused:
        return None
    return Unavailable("server-needs-tls", server=str(answer.request.url.copy_with(query=None, path="/")))


def _raise_for(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    problem: Any = None
    if len(answer.content) <= _PROBLEM_BYTES:
        try:
            problem = answer.json()
        except ValueError:
            problem = None
    if not isinstance(problem, dict) or "type" not in problem:
        if (
            answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
            and answer.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE  # a proxy's own limit
        ):
            raise _needs_tls(answer) or not_ours(answer)
        problem = {}
    wait = answer.headers.get("retry-after", "")
    if wait.isdecimal():
        problem = {RETRY_AFTER: int(wait), **problem}
    raise error_of(answer.status_code, problem)
