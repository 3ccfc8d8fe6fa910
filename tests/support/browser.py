"""Headless Chromium driven over the WebDriver protocol (W3C), with nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_STARTED = re.compile(r"started successfully on port (\d+)")
_WAIT_S = 30
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
)


def find_browser() -> tuple[str, str] | None:
    """Return the programs of Chromium and its driver, None when one is not installed."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    return (chromium, driver) if chromium and driver else None


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser window; looking for an element waits until it is there."""

    driver: httpx.Client

    def open(self, url: str) -> None:
        self._post("url", url=url)

    def find(self, selector: str, using: str = "css selector") -> str:
        return str(self._post("element", using=using, value=selector)[_ELEMENT])

    def find_all(self, selector: str) -> list[str]:
        return [str(one[_ELEMENT]) for one in self._post("elements", using="css selector", value=selector)]

    def click(self, selector: str) -> None:
        self._post(f"element/{self.find(selector)}/click")

    def type(self, selector: str, text: str) -> None:
        self._post(f"element/{self.find(selector)}/value", text=text)

    def text(self, selector: str) -> str:
        return str(self._get(f"element/{self.find(selector)}/text"))

    def complaints(self) -> list[str]:
        """Return the messages of the console since the last call, violations of the content policy among it."""
        return [str(entry["message"]) for entry in self._post("se/log", type="browser")]

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._get("screenshot")))

    def _post(self, path: str, **body: Any) -> Any:
        return _value(self.driver.post(path, json=body))

    def _get(self, path: str) -> Any:
        return _value(self.driver.get(path))


@contextmanager
def browser(programs: tuple[str, str], folder: Path) -> Iterator[Browser]:
    """Run Chromium with a new profile below ``folder`` until the block ends."""
    chromium, driver = programs
    environment = {**os.environ, "HOME": str(folder)}
    process = subprocess.Popen(
        [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    assert process.stdout is not None
    try:
        port = next(match[1] for line in process.stdout if (match := _STARTED.search(line)))
        with httpx.Client(trust_env=False, timeout=_WAIT_S * 2) as client:
            base = f"http://127.0.0.1:{port}/session"
            options = {"binary": chromium, "args": [*_FLAGS, f"--user-data-dir={folder / 'profile'}"]}
            wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            session = f"{base}/{_value(client.post(base, json={'capabilities': {'alwaysMatch': wanted}}))['sessionId']}"
            try:
                client.base_url = httpx.URL(f"{session}/")
                _value(client.post("timeouts", json={"implicit": _WAIT_S * 1000}))
                yield Browser(client)
            finally:
                client.delete(session)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _value(answer: httpx.Response) -> Any:
    value = answer.json()["value"]
    if answer.is_error:
        raise AssertionError(f"{value['error']}: {value['message']}")
    return value
