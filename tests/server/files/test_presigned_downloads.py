"""Downloads that the S3 store answers itself, where the server is set to it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from models.ids import new_id
from tests.support.images import png
from tests.support.private_s3 import S3Server
from tests.support.serving import serve_with_users


@pytest.fixture
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of a new bucket, which this process may use."""
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    made = f"t{new_id()}"
    s3.make_bucket(made)
    return f"s3://{made}"


@pytest.mark.slow
@pytest.mark.parametrize("presigned", [True, False])
def test_a_download_is_redirected_only_where_it_is_set(tmp_path: Path, bucket: str, presigned: bool) -> None:
    data = png()
    with serve_with_users(tmp_path, objects_url=bucket, presigned_downloads=presigned) as served:
        stored = served["inspector"].post("/files", files={"file": ("part.png", data)}).json()
        answer = served["inspector"].get(f"/files/{stored['id']}/download")
        content = served["inspector"].get(f"/files/{stored['id']}")
    assert (answer.status_code, content.status_code) == (307 if presigned else 200, 200)
    found = httpx.get(answer.headers["location"], trust_env=False, timeout=60).content if presigned else answer.content
    assert found == data == content.content


@pytest.mark.slow
@pytest.mark.parametrize("name", ["part.png", "検査 1+1=2 & ‘a/b’.png"])
def test_a_redirected_download_keeps_name_with_type(tmp_path: Path, bucket: str, name: str) -> None:
    with serve_with_users(tmp_path, objects_url=bucket, presigned_downloads=True) as served:
        stored = served["inspector"].post("/files", files={"file": (name, png())}).json()
        answer = served["inspector"].get(f"/files/{stored['id']}/download")
        content = served["inspector"].get(f"/files/{stored['id']}")
    redirected = httpx.get(answer.headers["location"], trust_env=False, timeout=60)
    expected = content.headers["content-disposition"].replace("inline", "attachment")
    assert (redirected.status_code, redirected.headers["content-type"]) == (200, "image/png")
    assert redirected.headers["content-disposition"] == expected
