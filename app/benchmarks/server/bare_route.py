"""The peer of every load figure: one route that answers a constant, on uvicorn alone with the server's parser and loop.

``python -m app.benchmarks.server.bare_route PORT_FILE`` serves on a free port of loopback, writes the port to PORT_FILE
and ends with its standard input.
"""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path
from typing import Any

import uvicorn

_CONTENT = b'{"status":"ok"}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_CONTENT))]
_START = {"type": "http.response.start", "status": 200, "headers": _HEADERS}
_BODY = {"type": "http.response.body", "body": _CONTENT}


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request with the same JSON object."""
    del scope, receive
    await send(_START)
    await send(_BODY)


def main(arguments: list[str]) -> int:
    """Serve until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, access_log=False, lifespan="off"))

    def stop_with_input() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=stop_with_input, daemon=True).start()
    Path(arguments[0]).write_text(str(listener.getsockname()[1]), encoding="utf-8")
    server.run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
