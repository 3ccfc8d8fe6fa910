"""The commands of the page about a first station, run as a person pastes them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.serving import PASSWORD, serve_with_users

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "first-station.md").read_text(encoding="utf-8")


def pasted(url: str, *, after: str = "") -> subprocess.CompletedProcess[str]:
    """Run the block that makes a target, against the server at ``url``."""
    (block,) = re.findall(r"^```sh\n(api=.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    script = block.replace("http://127.0.0.1:8000", url).replace('"username":"anna"', '"username":"admin"') + after
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(
        ["bash", "-c", script],
        input=f"{PASSWORD}\n" * 2,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env=environment,
    )


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="the page is for bash and curl")
def test_the_page_followed_twice_reports_what_the_server_says(tmp_path: Path) -> None:
    with serve_with_users(tmp_path) as served:
        statistics = PAGE.partition("imageflow data verify")[2].partition("\n")[2].partition("```")[0]
        first, second = pasted(served.url, after=statistics), pasted(served.url)
        targets = served["admin"].get("/inspection/targets").json()["items"]
    assert (first.stderr, first.returncode) == ("", 0)
    assert "{" in first.stdout
    assert [target["code"] for target in targets] == ["PLATE"]
    assert "Traceback" not in second.stderr
    assert "PLATE" in second.stderr
