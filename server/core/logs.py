"""Logs as JSON lines on stderr: what happened, without personal data; secrets are replaced."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from server.core.structlog_import import structlog

_SECRET = ("password", "token", "credential", "secret", "authorization", "api_key", "username", "code_typed")
_CUT = "[cut]"
_NAME = "imageflow.server"
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=repr)


def configure_logs(level: str) -> None:
    """Send structlog's and the standard library's records to stderr as JSON lines.

    Args:
        level: least level that is written, as ``logging`` names it, in any case.
    """
    common: list[structlog.typing.Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        cut_secrets,
        # The frames of an error, without the values of their variables.
        structlog.processors.format_exc_info,
    ]
    renderer = structlog.processors.JSONRenderer(serializer=_as_json)
    # Straight to the stream: a detour through the standard library's loggers triples the cost of a line.
    structlog.configure(
        processors=[structlog.processors.add_log_level, _add_logger_name, *common, renderer],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, *common],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Our own line a request has the route instead of the address and the query.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, root.level))


class EndedRequest(NamedTuple):
    """What the log says of a request.

    Attributes:
        method: of HTTP.
        route: its pattern, which has no ids of records.
        status: of the answer.
        seconds: from its head to its answer.
        request_id: of letters, digits, dots, dashes and underscores.
    """

    method: str
    route: str
    status: int
    seconds: float
    request_id: str


class RequestLog:
    """The lines of requests; rendered here, as structlog's way of a line takes thrice as long."""

    def __init__(self) -> None:
        self._log: Any = None
        self._begins: dict[tuple[str, str, int], str] = {}

    def write(self, ended: Iterable[EndedRequest]) -> None:
        """Write a line for each request, all of them at once, where lines of level info are written."""
        if self._log is None:
            # Bound with the first request, when logs are set up: binding takes longer than a line.
            self._log = structlog.wrap_logger(None, processors=[_text]).bind()
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        end = f'"event": "request", "level": "info", "logger": "{_NAME}", "timestamp": "{now}"}}'
        self._log.info("\n".join([self._line(one, end) for one in ended]))

    def _line(self, ended: EndedRequest, end: str) -> str:
        method, route, status, seconds, request_id = ended
        begin = self._begins.get((method, route, status))
        if begin is None:
            begin = _ENCODER.encode({"method": method, "route": route, "status": status}).removesuffix("}")
            self._begins[method, route, status] = begin
        return f'{begin}, "milliseconds": {round(seconds * 1000, 1)}, "request_id": "{request_id}", {end}'


def _text(logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    del logger, method
    return str(event["event"])


def _as_json(event: object, **options: Any) -> str:
    # One encoder for all lines: making it takes longer than a line.
    del options
    return _ENCODER.encode(event)


def _add_logger_name(logger: object, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    del logger, method
    event["logger"] = _NAME
    return event


def cut_secrets(logger: object, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace values whose names mark them as secret or personal."""
    del logger, method
    for name in event:
        if _is_secret(name):
            event[name] = _CUT
    return event


@lru_cache(maxsize=1_000)
def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET)
