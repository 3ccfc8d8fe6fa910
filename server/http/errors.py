"""Every error as ``application/problem+json`` (RFC 9457), made from its type; routes never build one by hand."""

from __future__ import annotations

import itertools
import json
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Scope

from models.errors import Conflict, InvalidInput, UserFacingError
from models.messages import Language, LocalText, choose_language, error_text
from models.rejections import MORE_UNKNOWN, json_place, not_json, rejection
from server.core.retry_after import retry_after_s
from server.core.structlog_import import structlog
from server.http.paths import given_path
from server.http.refusals import HttpRefusal
from sync.shared.problems import TYPE_BASE

PROBLEM = "application/problem+json"
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SECRET_WORDS = ("password", "token", "credential", "secret", "code", "key", "authorization")
_LONGEST_VALUE = 200
_LONGEST_TEXT = 2_000
_MOST_ENTRIES = 50
_LARGEST_NUMBER = 10**15
_SURROGATE = re.compile("[\ud800-\udfff]")
_log = structlog.get_logger("imageflow.server")

_BY_STATUS = {
    HTTPStatus.BAD_REQUEST: "request-malformed",
    HTTPStatus.NOT_FOUND: "route-unknown",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body-too-large",
}


def language_of(scope: Scope) -> Language:
    """Return the language the client asked for."""
    for name, value in scope["headers"]:
        if name == b"accept-language":
            return choose_language(value.decode("latin-1"))
    return "en"


def problem(scope: Scope, error: UserFacingError) -> JSONResponse:
    """Return the response for a user-facing error."""
    text = error_text(error.code, error.values, language_of(scope), for_client=True)
    code, members = error.code, dict(error.members)
    lines = (text.title, text.detail, text.advice)
    rejected_fields = members.get("validation_errors")
    if isinstance(rejected_fields, list):
        code = "validation-error"
        language = language_of(scope)
        entries = [_presented(entry, language) for entry in rejected_fields[:_MOST_ENTRIES]]
        members.update(_listed(entries, len(rejected_fields) - len(entries)))
        if error.code == code:
            lines = _first_of(entries, lines)
    elif "inspection_context" in members:
        code = "inspection-error"
    headers = dict(error.headers) if isinstance(error, HttpRefusal) else {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status == HTTPStatus.PRECONDITION_FAILED:
        headers["ETag"] = f'"{members["revision"]}"'
    if (seconds := retry_after_s(error)) is not None:
        headers["Retry-After"] = str(seconds)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("unavailable", code=error.code, request_id=_request_id(scope))
    return _response(scope, error.status, code, lines, members, headers)


def validation_errors(errors: Sequence[Any], language: Language) -> list[dict[str, Any]]:
    """Return the first ``validation_errors`` for pydantic errors; secrets and large values are not echoed."""
    found = []
    for item in itertools.islice(_of_fields(errors), _MOST_ENTRIES):
        place = [str(part) for part in item["loc"]]
        path = place[1:] if place and place[0] in {"body", "query", "path", "header", "cookie"} else place
        entry: dict[str, Any] = {
            "field": _field_name(path),
            "message": rejection(item).in_language(language),
        }
        if path and item["type"] != "missing" and _may_be_echoed(path, item.get("input")):
            entry["value"] = item["input"]
        found.append(entry)
    return found


def bug(scope: Scope, error: Exception) -> JSONResponse:
    """Return the response for an error that is a fault of the server, and log it."""
    _log.error("bug", error=type(error).__name__, request_id=_request_id(scope), exc_info=error)
    text = error_text("internal-error", {"request_id": _request_id(scope)}, language_of(scope))
    lines = (text.title, text.detail, text.advice)
    return _response(scope, HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", lines, {})


def install(app: FastAPI) -> None:
    """Make ``app`` answer every error with a problem document."""
    app.add_exception_handler(UserFacingError, _user_facing)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(IntegrityError, _integrity)


async def _user_facing(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, UserFacingError):
        raise TypeError("registered for user-facing errors")
    return problem(request.scope, error)


async def _validation(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise TypeError("registered for validation errors")
    first = error.errors()[0]
    if first["type"] == "json_invalid" and isinstance(error.body, str):
        return problem(request.scope, _not_json(json.JSONDecodeError("", error.body, first["loc"][-1])))
    language = language_of(request.scope)
    entries = validation_errors(error.errors(), language)
    text = error_text("validation-error", {}, language)
    lines = _first_of(entries, (text.title, text.detail, text.advice))
    members = _listed(entries, _count(error.errors()) - len(entries))
    return _response(request.scope, HTTPStatus.BAD_REQUEST, "validation-error", lines, members)


def _not_json(error: json.JSONDecodeError) -> InvalidInput:
    entry = {"field": "body", "message": not_json(error)}
    return InvalidInput("validation-error", members={"validation_errors": [entry], **json_place(error)})


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise TypeError("registered for HTTP errors")
    code = _BY_STATUS.get(HTTPStatus(error.status_code), "request-malformed")
    values: dict[str, object] = {"method": request.method, "limit": "-"}
    text = error_text(code, values, language_of(request.scope))
    lines = (text.title, text.detail, text.advice)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return _response(request.scope, error.status_code, code, lines, {}, headers)


async def _integrity(request: Request, error: Exception) -> JSONResponse:
    del error  # its text is SQL
    return problem(request.scope, Conflict("record-conflict"))


def _methods(request: Request) -> set[str]:
    """Return every method that some route of the path answers, among patterns with the fewest parameters."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    found: set[str] = set()
    fewest = sys.maxsize
    for route in iter_route_contexts(request.app.routes):
        pattern = getattr(route, "path_regex", None)
        if pattern is None or not pattern.match(path):
            continue
        free = len(getattr(route, "param_convertors", ()))
        if free < fewest:
            found, fewest = set(), free
        if free == fewest:
            found |= route.methods or set()
    return found | {"HEAD"} if "GET" in found else found


def _response(
    scope: Scope,
    status: int,
    code: str,
    lines: tuple[str, str, str],
    members: dict[str, Any],
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    title, detail, advice = lines
    body = {
        **members,
        "type": TYPE_BASE + code,
        "title": title,
        "status": int(status),
        "detail": detail if len(detail) <= _LONGEST_TEXT else f"{detail[:_LONGEST_TEXT]}…",
        "advice": advice,
        "instance": given_path(scope),
        "request_id": _request_id(scope),
    }
    common = {
        **SECURITY_HEADERS,
        "Content-Language": language_of(scope),
        "Vary": "Accept-Language",
        "Cache-Control": "no-store",
        "X-Request-ID": _request_id(scope),
    }
    return JSONResponse(body, status_code=int(status), headers={**common, **(headers or {})}, media_type=PROBLEM)


def _presented(entry: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Return an entry of ``validation_errors`` in the client's language, without a value that may not be echoed."""
    path = str(entry["field"]).split(".")
    message = entry.get("message", "")
    shown = {
        **entry,
        "field": _field_name(path),
        "message": message.in_language(language) if isinstance(message, LocalText) else message,
    }
    if not _may_be_echoed(path, entry.get("value")):
        shown.pop("value", None)
    return shown


def _listed(entries: list[dict[str, Any]], omitted: int) -> dict[str, Any]:
    return {"validation_errors": entries, **({"validation_errors_omitted": omitted} if omitted > 0 else {})}


def _first_of(entries: list[dict[str, Any]], lines: tuple[str, str, str]) -> tuple[str, str, str]:
    if not entries:
        return lines
    return lines[0], f"{entries[0]['field']}: {entries[0]['message']}", lines[2]


def _of_fields(errors: Sequence[Any]) -> Iterator[Any]:
    return (item for item in errors if item["type"] != MORE_UNKNOWN)


def _count(errors: Sequence[Any]) -> int:
    """Return how many fields were rejected, those that were only counted too."""
    counted = [int(item["ctx"]["count"]) for item in errors if item["type"] == MORE_UNKNOWN]
    return len(errors) - len(counted) + sum(counted)


def _field_name(path: Sequence[str]) -> str:
    name = _SURROGATE.sub("\ufffd", ".".join(path)) or "body"
    return name if len(name) <= _LONGEST_VALUE else f"{name[:_LONGEST_VALUE]}…"


def _may_be_echoed(path: Sequence[str], value: object) -> bool:
    """Return whether a rejected value may be in the answer: no secret, nothing large, nothing JSON cannot express."""
    if any(word in part.lower() for part in path for word in _SECRET_WORDS):
        return False
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return len(value) <= _LONGEST_VALUE and not _SURROGATE.search(value)
    return value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < _LARGEST_NUMBER)


def _request_id(scope: Scope) -> str:
    return str(scope.get("imageflow.request_id", ""))
