"""A plain HTTP server that answers every request with a fault."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


class Refusing(BaseHTTPRequestHandler):
    """Answers every request with a fault.

    Attributes:
        wrong_by_s: how far the clock is ahead that its answers name; None to name no time.
    """

    wrong_by_s: float | None = 0.0

    def do_GET(self) -> None:
        self.send_response_only(503)
        if self.wrong_by_s is not None:
            self.send_header("Date", self.date_time_string(time.time() + self.wrong_by_s))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        del format, args


class QuietServer(HTTPServer):
    """Prints nothing about clients that leave during the handshake."""

    def handle_error(self, request: object, client_address: object) -> None:
        del request, client_address


@contextmanager
def refusing() -> Iterator[QuietServer]:
    """Serve ``Refusing`` on a free port until the block ends."""
    with QuietServer(("127.0.0.1", 0), Refusing) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server
        finally:
            server.shutdown()
            serving.join()
