"""The server from its start to its end: listens, announces its address, stops cleanly."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from models.messages import LocalText
from models.storage import write_atomically
from server.context import open_context
from server.core.logs import configure_logs
from server.core.settings import ADDRESS_FILE, ServerSettings
from server.process.listening import address_of, listener_of
from server.process.own_process import set_up_process
from server.process.running import RunningServer, server_of
from server.process.workers import Workers, require_shared_database
from server.users.first import has_users

_STANDARD_INPUT, _PIECE = 0, 1_024


def serve(settings: ServerSettings, *, until_stdin_closes: bool, report: Callable[[LocalText], None]) -> None:
    """Run the server until it is stopped (SIGTERM, SIGINT, or the end of standard input).

    Args:
        settings: as started.
        until_stdin_closes: stop when standard input ends, so that a server never outlives the one who started it.
        report: shows a line to the person who started it.

    Raises:
        UserFacingError: when it cannot start, with what to do.
    """
    set_up_process()
    require_shared_database(settings)
    with listener_of(settings) as listener:
        configure_logs(settings.log_level)
        context = open_context(settings)
        url = address_of(listener, tls=settings.tls_cert is not None)
        context.models.report_absent(report)
        listens = _listens(settings, url, has_users=has_users(context))

        @contextmanager
        def announced() -> Iterator[None]:
            path = settings.data_dir / ADDRESS_FILE
            write_atomically(path, json.dumps({"url": url, "pid": os.getpid()}).encode())
            report(listens)
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

        if settings.workers > 1:
            context.close()
            workers = Workers(settings, listener, announced)
            _stop_with_input(workers, wanted=until_stdin_closes)
            workers.run()
        else:
            server = server_of(settings, context, announced)
            _stop_with_input(server, wanted=until_stdin_closes)
            server.run(sockets=[listener])


def _listens(settings: ServerSettings, url: str, *, has_users: bool) -> LocalText:
    """Return where the server listens, and how its first user is made while it has none."""
    if has_users:
        return LocalText.of("server-listens", {"url": url})
    command = f"imageflow admin users add NAME --role admin --data-dir {_quoted(settings.data_dir)}"
    return LocalText.of("server-listens-without-users", {"url": url, "command": command})


def _quoted(path: Path) -> str:
    text = str(path)
    return f'"{text}"' if " " in text else text


def _stop_with_input(server: RunningServer | Workers, *, wanted: bool) -> None:
    if wanted:
        threading.Thread(target=_stop_at_end_of_input, args=(server,), daemon=True, name="stdin").start()


def _stop_at_end_of_input(server: RunningServer | Workers) -> None:
    # Not through sys.stdin: its lock, held by this thread, would break the end of the interpreter.
    while os.read(_STANDARD_INPUT, _PIECE):
        pass
    server.stop()
