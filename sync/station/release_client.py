"""Calls of the server by who releases models: signed in as a user, from any computer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.errors import NotFound
from models.storage import sha256_of_file
from sync.shared.protocol import SYNC_PATH
from sync.station.transport import Transport, json_of

_CHUNK = 1024 * 1024
_PATH = "/inspection/models/releases"


class ReleaseClient:
    """Talks to one server as one user.

    Args:
        base_url: address of the server.
        username: supervisor or administrator.
        password: theirs.
        language: of the server's texts.
        timeout_s: of connecting, and of each wait for bytes.

    Raises:
        NotSignedIn: ``sign-in-refused``.
        Unavailable: when the server does not answer.
    """

    def __init__(
        self, base_url: str, username: str, password: str, *, language: str = "en", timeout_s: float = 60.0
    ) -> None:
        self._transport = Transport(base_url, timeout_s=timeout_s, language=lambda: language, verify=True)
        body = {"username": username, "password": password}
        token = json_of(self._transport.request("POST", "/auth/login", json=body))["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}

    def close(self) -> None:
        """End the session on the server and close all connections."""
        self._transport.request("POST", "/auth/logout", headers=self._headers)
        self._transport.close()

    def upload(self, path: Path, step: Callable[[int, int], None]) -> str:
        """Upload a file, from where an earlier upload of it was cut, and return its digest.

        Raises:
            NotFound: ``blob-source-missing``.
        """
        try:
            sha256, size = sha256_of_file(path), path.stat().st_size
        except FileNotFoundError as error:
            raise NotFound("blob-source-missing", file=path.name) from error
        announced = {"sha256": sha256, "size": size, "content_type": "application/zip"}
        state = self._json("POST", f"{SYNC_PATH}/upload", json=announced)
        with path.open("rb") as file:
            while not state["complete"]:
                offset = state["offset"]
                step(offset, size)
                file.seek(offset)
                data = file.read(_CHUNK)
                headers = {
                    "Content-Type": "application/octet-stream",
                    "Content-Range": f"bytes {offset}-{offset + len(data) - 1}/{size}",
                }
                state = self._json(
                    "POST", f"{SYNC_PATH}/upload", params={"sha256": sha256}, content=data, headers=headers
                )
        return sha256

    def create(self, item_id: str, sha256: str, name: str) -> dict[str, Any]:
        """Make a draft and return it."""
        return self._json("POST", _PATH, json={"item_id": item_id, "sha256": sha256, "name": name})

    def move(self, release_id: str, step: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do a step, ``stage``, ``release`` or ``rollback``, and return the release."""
        options = {} if body is None else {"json": body}
        return self._json("POST", f"{_PATH}/{release_id}/{step}", **options)

    def get(self, release_id: str) -> dict[str, Any]:
        """Return a release with what stations found."""
        return self._json("GET", f"{_PATH}/{release_id}")

    def newest(self) -> list[dict[str, Any]]:
        """Return the newest releases, at most 50."""
        return list(self._json("GET", _PATH)["items"])

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        headers = {**options.pop("headers", {}), **self._headers}
        return dict(json_of(self._transport.request(method, path, headers=headers, **options)))
