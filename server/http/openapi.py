"""The OpenAPI document: what FastAPI knows of the routes, completed by the errors that every route can answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from server.ai_inspection.schemas import InspectionParameters
from server.health.service import product_version
from server.http.dependencies import SECURITY_SCHEMES
from server.http.errors import PROBLEM
from server.http.examples import EXAMPLES
from server.http.idempotency import HEADER, PARAMETER
from server.http.lanes import Lane, run_on
from server.http.routes import CheckedRoute
from sync.shared.protocol import Batch, Change, UploadRequest
from sync.shared.schemas import Problem

TITLE = "ImageFlow Server"
PATH = "/openapi.json"
_REF = "#/components/schemas/"
_DESCRIPTION = """\
The central server of ImageFlow inspection stations. Every path under `/api/v1` also answers under `/v1`.

Errors are `application/problem+json` (RFC 9457) in the language of `Accept-Language` (`en` or `ja`). Times are RFC
3339, UTC, with milliseconds. Ids are UUIDv7 and may be made by the client: the same request twice has one effect."""
_TEXTS = {
    400: "The request is not valid; `validation_errors` lists the fields.",
    401: "Not signed in, or the credential is not valid (any more).",
    403: "Signed in, and not allowed.",
    404: "There is no such record.",
    408: "The request came too slowly.",
    409: "The present state does not allow it.",
    410: "It was there and is no more.",
    412: "The record has another ETag than `If-Match` names; the present one is in the head.",
    413: "The body is larger than the limit, given in `limit_bytes`.",
    415: "The body is of a kind or in an encoding that is not taken.",
    416: "The file has no such bytes.",
    422: "Well formed, and still does not fit.",
    429: "Too often; `Retry-After` gives the seconds to wait.",
    500: "A fault of the server; `request_id` names it in the log.",
    503: "Something the server needs is not there now.",
}
_ETAG = {"description": "Revision of the record, for `If-Match` and `If-None-Match`.", "schema": {"type": "string"}}
_LOCATION = {
    "description": "Path of the record.",
    "required": True,
    "schema": {"type": "string", "format": "uri-reference"},
}
_SCHEMA = "x-schema"
_NEW_PASSWORDS = (("UserCreate", "password"), ("PasswordSet", "password"), ("PasswordChange", "new_password"))
_METHODS = frozenset({"get", "put", "post", "delete", "patch"})


def install(app: FastAPI) -> None:
    """Make ``app.openapi()`` give the completed document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = _complete(_base(app), _callers(app), _keyed(app))
            _set_least_password(made, app.state.context.settings.password_min_length)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the way FastAPI's manual extends the document


async def answer_document(request: Request) -> Response:
    """Answer with the document; the first one takes about a second, in which others are answered too."""
    return await run_on(Lane.HEAVY, _answer, request.app, request.scope.get("root_path", "").rstrip("/"))


def _answer(app: FastAPI, root: str) -> Response:
    document = app.openapi()
    servers = document["servers"]
    if root and root not in [server["url"] for server in servers]:
        document = {**document, "servers": [{"url": root}, *servers]}
    return JSONResponse(document)


def _base(app: FastAPI) -> dict[str, Any]:
    return get_openapi(
        title=TITLE,
        version=product_version(),
        description=_DESCRIPTION,
        routes=app.routes,
        servers=[{"url": "/", "description": "This server."}],
        license_info={"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
    )


def _callers(app: FastAPI) -> dict[tuple[str, str], list[str]]:
    """Return, by path and method, who may ask: roles and ``station``; not of operations that are open to all."""
    routes = [route for route in app.routes if isinstance(route, CheckedRoute) and route.needs_sign_in]
    return {(route.path_format, method.lower()): route.callers for route in routes for method in route.methods or ()}


def _keyed(app: FastAPI) -> set[str]:
    """Return the paths whose POST takes an ``Idempotency-Key``."""
    return {route.path_format for route in app.routes if isinstance(route, CheckedRoute) and route.takes_key}


def _complete(document: dict[str, Any], callers: dict[tuple[str, str], list[str]], keyed: set[str]) -> dict[str, Any]:
    document.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    models: tuple[type[BaseModel], ...] = (
        Problem,
        *_named_schemas().values(),
        Batch,
        InspectionParameters,
        UploadRequest,
    )
    for model in models:
        schema = model.model_json_schema(ref_template=_REF + "{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    _hoist(document["paths"], schemas)
    _refer(document)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in _METHODS:
                if (path, method) in callers:
                    operation["security"] = [{name: []} for name in SECURITY_SCHEMES]
                    operation["x-roles"] = callers[path, method]
                    text = operation.get("description", "")
                    operation["description"] = f"{text}\n\nRoles: {', '.join(callers[path, method])}."
                if method == "post" and path in keyed:
                    operation.setdefault("parameters", []).append(PARAMETER)
                _complete_operation(path, operation)
    return document


def _set_least_password(document: dict[str, Any], length: int) -> None:
    """Name the least length of a new password, which is a setting."""
    for schema, member in _NEW_PASSWORDS:
        document["components"]["schemas"][schema]["properties"][member]["minLength"] = length


def _refer(part: Any) -> None:
    """Replace the placeholder of a schema of another room by a reference to it, and name the form of uploads."""
    if isinstance(part, dict):
        name = part.pop(_SCHEMA, None)
        if name is not None:
            for member in ("type", "additionalProperties"):
                part.pop(member, None)
            part["$ref"] = _REF + name
        if part.get("contentMediaType") == "application/octet-stream":
            part["format"] = "binary"
        for value in part.values():
            _refer(value)
    elif isinstance(part, list):
        for value in part:
            _refer(value)


def _with_examples(body: dict[str, Any]) -> None:
    for content in body["content"].values():
        reference = content.get("schema", {}).get("$ref", "")
        if reference.removeprefix(_REF) in EXAMPLES:
            content["example"] = EXAMPLES[reference.removeprefix(_REF)]


def _hoist(part: Any, schemas: dict[str, Any]) -> None:
    """Move definitions within a route's own schema to where its references can find them."""
    if isinstance(part, dict):
        for name, schema in part.pop("$defs", {}).items():
            _hoist(schema, schemas)
            schemas.setdefault(name, schema)
        reference = part.get("$ref")
        if isinstance(reference, str):
            part["$ref"] = reference.replace("#/$defs/", _REF)
        for value in part.values():
            _hoist(value, schemas)
    elif isinstance(part, list):
        for value in part:
            _hoist(value, schemas)


def _complete_operation(path: str, operation: dict[str, Any]) -> None:
    answers: dict[str, Any] = operation["responses"]
    if _is_automatic(answers.get("422", {})):
        del answers["422"]
    codes = {int(code) for code in answers if code.isdigit() and int(code) >= HTTPStatus.BAD_REQUEST} | {500, 503}
    if operation.get("parameters") or "requestBody" in operation:
        codes.add(400)
    if "requestBody" in operation:
        codes |= {408, 413, 415}
        _with_examples(operation["requestBody"])
    if operation.get("security"):
        codes |= {401, 403}
    if "{" in path:
        codes.add(404)
    named = {one["name"] for one in operation.get("parameters", [])}
    if "If-Match" in named:
        codes |= {409, 412}
    if HEADER in named:
        codes |= {409, 422}
    if "If-None-Match" in named:
        answers["304"] = {"description": "The client has this already."}
        answers["200"].setdefault("headers", {})["ETag"] = _ETAG
    if "201" in answers:
        answers["201"].setdefault("headers", {})["Location"] = _LOCATION
    for code in sorted(codes):
        answers[str(code)] = {
            "description": _TEXTS.get(code, HTTPStatus(code).phrase),
            "content": {PROBLEM: {"schema": {"$ref": f"{_REF}Problem"}}},
        }


def _is_automatic(answer: dict[str, Any]) -> bool:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(schema.get("$ref", "").endswith("/HTTPValidationError"))


def _named_schemas() -> dict[str, type[BaseModel]]:
    """Return the schemas that members of bodies name by ``x-schema``; the rooms that own them check the values."""
    # Loaded with the first reader of the document.
    from inspection.judging.criteria import Criteria
    from inspection.pipeline.definition import PipelineDefinition

    return {"Change": Change, "Criteria": Criteria, "PipelineDefinition": PipelineDefinition}
