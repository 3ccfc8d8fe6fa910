"""``/docs``: Swagger UI on the OpenAPI document, served from the installed package; nothing comes from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse

from server.http.routes import CheckedRoute

if TYPE_CHECKING:
    from jinja2 import Template

_ASSETS = Path(str(files("fastapi_offline"))) / "static"
_STYLE_SHEET, _SCRIPT = "swagger-ui.css", "swagger-ui-bundle.js"
_CACHED = {"Cache-Control": "public, max-age=3600"}
_START = """\
window.ui = SwaggerUIBundle({
  url: document.getElementById("swagger-ui").dataset.document,
  dom_id: "#swagger-ui",
  layout: "BaseLayout",
  deepLinking: true,
  filter: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
"""
_DIGEST = base64.b64encode(hashlib.sha256(_START.encode()).digest()).decode()
POLICY = (
    "default-src 'none'; "
    f"script-src 'self' 'sha256-{_DIGEST}'; "
    "style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content security policy of the page: the package's script and style sheet, one start script by its digest."""


def page(title: str, root: str) -> str:
    """Return the page.

    Args:
        title: of the window.
        root: path that a reverse proxy serves this server under; empty for none.
    """
    values = {"title": title, "root": root, "style_sheet": _STYLE_SHEET, "script": _SCRIPT, "start": _START}
    return _template().render(values)


@cache
def _template() -> Template:
    # Loaded with the first reader of the page.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("server.http")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("docs.html")


def router(title: str) -> APIRouter:
    """Return the routes of the page and of its two assets."""
    routes = APIRouter(include_in_schema=False, route_class=CheckedRoute)

    @routes.get("/docs")
    def documentation_page(request: Request) -> HTMLResponse:
        return HTMLResponse(
            page(title, request.scope.get("root_path", "")), headers={"Content-Security-Policy": POLICY}
        )

    @routes.get(f"/docs/{_STYLE_SHEET}")
    def style_sheet() -> FileResponse:
        return FileResponse(_ASSETS / _STYLE_SHEET, media_type="text/css", headers=_CACHED)

    @routes.get(f"/docs/{_SCRIPT}")
    def script() -> FileResponse:
        return FileResponse(_ASSETS / _SCRIPT, media_type="text/javascript", headers=_CACHED)

    return routes
