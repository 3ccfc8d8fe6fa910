"""``imageflow service``: one gRPC service as a process of its own."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.command_line.serving import UntilStdinClosesOption, wrong_settings_reported


class ServiceName(StrEnum):
    """The services, as ``server.grpc.contract`` lists them; here so that help needs no server."""

    RESIZE = "resize"
    AI_DETECTION = "ai-detection"
    FILTER = "filter"
    CAMERA_STREAM = "camera-stream"


EXAMPLES = """\
One gRPC service as a process of its own; start as many replicas as are needed.

\b
Examples:
  imageflow service resize --data-dir /srv/imageflow
  imageflow service ai-detection --model yolo11=yolo11n.onnx --port 50062
  imageflow service filter --objects s3://images
\b
The server finds them by IMAGEFLOW_SERVER_GRPC_RESIZE=host:port,host:port and so on.

Every other setting is an environment variable IMAGEFLOW_SERVER_…; see docs/server.md.
"""


def service_command(
    name: Annotated[ServiceName, typer.Argument(help="Which service.", metavar="NAME")],
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65_535, help="Port; 0 takes any that is free.  [default: 50051 to 50054]"),
    ] = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.  [default: 127.0.0.1]")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Data folder of the server.")] = None,
    objects: Annotated[
        str | None, typer.Option("--objects", help="URL of the object store; else the data folder's.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME=FILE", help="A model file; may be repeated.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Private key of the certificate, PEM.")] = None,
    tls_ca: Annotated[Path | None, typer.Option("--tls-ca", help="Who signs the clients' certificates, PEM.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Allow plain text beyond this computer.")] = False,
    until_stdin_closes: UntilStdinClosesOption = False,
) -> None:
    """Serve until stopped; exit 0 after a clean stop, 1 when it cannot start, 2 for a wrong setting."""
    from app.command_line import report_line
    from app.command_line.variables import server_settings
    from server.grpc.contract import SERVICES
    from server.process.service_process import serve_service

    with wrong_settings_reported():
        settings = server_settings(
            data_dir=data_dir,
            objects_url=objects,
            grpc_host=host,
            grpc_tls_cert=tls_cert,
            grpc_tls_key=tls_key,
            grpc_tls_ca=tls_ca,
            models=_models(model) if model else None,
            insecure=True if insecure else None,
        )
        serve_service(
            settings,
            SERVICES[name.value],
            port=port,
            until_stdin_closes=until_stdin_closes,
            report=report_line,
        )


def _models(given: list[str]) -> dict[str, Path]:
    from models.errors import InvalidInput

    named: dict[str, Path] = {}
    for text in given:
        name, equals, file = text.partition("=")
        if not (name and equals and file):
            raise InvalidInput("service-model-option", given=text)
        named[name] = Path(file)
    return named


service_command.__doc__ = EXAMPLES
