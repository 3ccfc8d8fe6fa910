"""``/docs`` in a real browser: rendered under its strict policy, and calls can be tried by who has signed in."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.browser import Browser, browser, find_browser
from tests.support.serving import Served

ME = "#operations-users-users-get-me"
STATUS = ".live-responses-table .response .response-col_status"


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    programs = find_browser()
    if programs is None:
        pytest.skip("Chromium is not installed on this computer (apt-get install chromium chromium-driver)")
    with browser(programs, tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def open_docs(window: Browser, served: Served) -> None:
    window.open("about:blank")
    window.complaints()
    window.open(f"{served.url}/docs")
    window.find(ME)


def try_me(window: Browser) -> str:
    """Execute ``GET /users/me`` and return the status that the page shows."""
    window.click(f"{ME} .opblock-summary-control")
    window.click(f"{ME} .try-out__btn")
    window.click(f"{ME} .execute")
    return window.text(f"{ME} {STATUS}")


def authorize(window: Browser, field: str, secret: str) -> None:
    window.click(".auth-wrapper .authorize")
    window.type(f"#{field}", secret)
    window.click(f".auth-container form:has(#{field}) button.authorize")
    window.click(".close-modal")


def test_every_operation_is_rendered_without_a_complaint(window: Browser, served: Served) -> None:
    open_docs(window, served)
    paths = httpx.get(f"{served.url}/openapi.json", trust_env=False, timeout=60).json()["paths"]
    count = sum(len(methods) for methods in paths.values())
    assert len(window.find_all(".opblock")) == count
    assert window.complaints() == []


def test_a_call_without_signing_in_shows_401(window: Browser, served: Served) -> None:
    open_docs(window, served)
    assert try_me(window).startswith("401")


def test_a_call_is_tried_with_an_access_token(window: Browser, served: Served) -> None:
    open_docs(window, served)
    authorize(window, "auth-bearer-value", served.sign_in("inspector")["access_token"])
    assert try_me(window).startswith("200")
    assert window.complaints() == []


def test_a_call_is_tried_with_an_api_key(window: Browser, served: Served) -> None:
    key = served["admin"].post("/api-keys", json={"name": "docs", "role": "integrator"}).json()["key"]
    open_docs(window, served)
    authorize(window, "api_key_value", key)
    # The key is accepted; that it is not a person is the answer of this route.
    assert try_me(window).startswith("403")


@pytest.mark.parametrize("asset", ["swagger-ui.css", "swagger-ui-bundle.js"])
def test_an_asset_is_served_with_its_type(served: Served, asset: str) -> None:
    answer = httpx.get(f"{served.url}/docs/{asset}", trust_env=False, timeout=60)
    kind = "text/css" if asset.endswith("css") else "text/javascript"
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_policy_allows_no_inline_script_but_the_one_by_its_digest(served: Served) -> None:
    policy = httpx.get(f"{served.url}/docs", trust_env=False, timeout=60).headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["connect-src"] == "'self'"
    assert "unsafe" not in policy
    assert directives["script-src"].startswith("'self' 'sha256-")
