"""``imageflow worker``: runs executions beside the server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.command_line.serving import UntilStdinClosesOption, wrong_settings_reported

EXAMPLES = """\
Run executions in a process of its own, beside a server with PostgreSQL; start as many as are needed.

\b
Examples:
  imageflow worker --data-dir /srv/imageflow
  imageflow worker --slots 4
\b
Database, object store and bus are those of the server:
  IMAGEFLOW_SERVER_DATABASE_URL, IMAGEFLOW_SERVER_OBJECTS_URL, and others of docs/server.md.
"""


def worker_command(
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Folder for copies of models.")] = None,
    slots: Annotated[
        int | None,
        typer.Option("--slots", min=1, max=64, help="Executions at once.  [default: one a processor]"),
    ] = None,
    until_stdin_closes: UntilStdinClosesOption = False,
) -> None:
    """Run executions until stopped; exit 0 after a clean stop, 1 when it cannot start, 2 for a wrong setting."""
    from app.command_line import report_line
    from app.command_line.variables import server_settings
    from server.process.worker_process import run_worker

    with wrong_settings_reported():
        settings = server_settings(data_dir=data_dir, execution_slots=slots)
        run_worker(settings, until_stdin_closes=until_stdin_closes, report=report_line)


worker_command.__doc__ = EXAMPLES
