"""The routes that the server's application has, whether the API document shows them or not."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import BaseRoute

from server.context import open_context
from server.core.settings import ServerSettings
from server.http.application import create_app


def app_routes(folder: Path) -> list[BaseRoute]:
    """Return the routes of an application on an empty folder."""
    settings = ServerSettings(data_dir=folder)
    context = open_context(settings)
    try:
        return list(create_app(settings, context).routes)
    finally:
        context.close()
