"""``imageflow server``: the central server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.command_line.serving import UntilStdinClosesOption, wrong_settings_reported

EXAMPLES = """\
The central server: REST, sync, files, statistics.

\b
Examples:
  imageflow server     this computer only, SQLite and a local folder
  imageflow server --data-dir /srv/imageflow --port 9000
  imageflow server --host 0.0.0.0 --tls-cert server.pem --tls-key server.key
\b
The first administrator:
  imageflow admin users add NAME --role admin

Every other setting is an environment variable IMAGEFLOW_SERVER_…; see docs/server.md.
"""


def server_command(
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Folder of database, objects and secret.")] = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65_535, help="Port; 0 takes any that is free.  [default: 8000]")
    ] = None,
    grpc_port: Annotated[
        int | None,
        typer.Option(
            "--grpc-port", min=0, max=65_532, help="First port of the gRPC services; 0 takes any.  [default: 50051]"
        ),
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Private key of the certificate, PEM.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Allow plain HTTP beyond this computer.")] = False,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=64, help="Processes; more than one needs PostgreSQL.  [default: 1]"),
    ] = None,
    until_stdin_closes: UntilStdinClosesOption = False,
) -> None:
    """Serve until stopped; exit 0 after a clean stop, 1 when it cannot start, 2 for a wrong setting."""
    from app.command_line import report_line
    from app.command_line.variables import server_settings
    from server.process.serving import serve

    with wrong_settings_reported():
        settings = server_settings(
            data_dir=data_dir,
            host=host,
            port=port,
            grpc_port=grpc_port,
            tls_cert=tls_cert,
            tls_key=tls_key,
            insecure=True if insecure else None,
            workers=workers,
        )
        serve(settings, until_stdin_closes=until_stdin_closes, report=report_line)


server_command.__doc__ = EXAMPLES
