"""Texts of errors are in the asked language to their last word, and fit a client of the API."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest

from models.errors import Unavailable
from models.ids import new_id
from models.messages import LANGUAGES, catalogue
from server.http.errors import problem
from tests.support.serving import Served

JAPANESE = {"Accept-Language": "ja"}
ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")
"""Two words in a row: names of fields and choices are single."""


def english_in(problem: dict[str, Any]) -> list[str]:
    texts = [problem["title"], problem["detail"], problem["advice"]]
    texts += [entry["message"] for entry in problem.get("validation_errors") or []]
    return [text for text in texts if ENGLISH.search(text)]


@pytest.mark.parametrize(
    "body",
    [
        {"id": "x", "code": "a\0b", "name": 5},
        {"code": "", "name": "x" * 300, "version": None, "more": 1},
        [],
        "text",
    ],
)
def test_a_rejected_body_is_explained_in_japanese_alone(served: Served, body: object) -> None:
    answer = served["supervisor"].post("/inspection/targets", json=body, headers=JAPANESE)
    assert answer.status_code == 400
    assert english_in(answer.json()) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"created_at": 5},
        {"created_at": "soon"},
        {"created_at": "9999-12-31T23:59:59-14:00"},
        {"status": "LOST"},
        {"lot": 5},
        {"lot": "x" * 500},
        {"lot": "a\0b"},
        {},
    ],
)
def test_a_refused_change_is_explained_in_japanese_alone(served: Served, fields: dict[str, Any]) -> None:
    device_id = served["device"].get("/tauri/config").json()["device_id"]
    change = {
        "change_id": new_id(),
        "entity": "inspection_session",
        "entity_id": new_id(),
        "op": "insert",
        "clock": f"0000000000001-0000-{device_id}",
        "fields": {"device_id": device_id, "target_id": new_id(), **fields} if fields else {},
    }
    batch = {"device_id": device_id, "batch_id": new_id(), "schema_version": 1, "changes": [change]}
    answer = served["device"].post("/inspection/sync/apply-changes", json=batch, headers=JAPANESE)
    refusal = answer.json()["results"][0]["problem"]
    assert refusal["type"].endswith("/sync-change-invalid")
    assert english_in(refusal) == []


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"no gzip", "gzip"),
        (gzip.compress(b"{}", mtime=0)[:-9], "gzip"),
        (b"{", "identity"),
        (json.dumps({"device_id": "a\0", "batch_id": "b", "schema_version": 1, "changes": []}).encode(), "identity"),
        (b'{"changes": 5}', "identity"),
    ],
)
def test_a_batch_that_cannot_be_read_is_explained_in_japanese_alone(
    served: Served, content: bytes, encoding: str
) -> None:
    headers = {**JAPANESE, "Content-Type": "application/json", "Content-Encoding": encoding}
    answer = served["device"].post("/inspection/sync/apply-changes", content=content, headers=headers)
    assert answer.status_code == 400
    assert english_in(answer.json()) == []


@pytest.mark.parametrize("query", ["start_date=5", "start_date=0001-01-01T00:00:00%2B14:00", "begin=2026-01-01"])
def test_a_refused_query_is_explained_in_japanese_alone(served: Served, query: str) -> None:
    answer = served["admin"].get(f"/inspection/statistics?{query}", headers=JAPANESE)
    assert answer.status_code == 400
    assert english_in(answer.json()) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "code",
    [
        "store-locked",
        "store-read-only",
        "store-not-found",
        "store-damaged",
        "store-write-lost",
        "disk-full",
        "disk-failing",
        "image-several-pages",
        "image-depth-unknown",
        "image-range-unknown",
        "image-beyond-depth",
        "image-range-differs",
        "model-range-differs",
        "model-of-torch",
        "model-of-sensors",
        "backbone-missing",
        "backbone-damaged",
        "preprocessing-model-missing",
        "object-unknown",
        "object-damaged",
        "execution-given-up",
        "execution-not-accepted",
        "execution-fault",
        "service-unavailable",
        "service-circuit-open",
        "service-not-connected",
        "service-model-unknown",
        "service-model-absent",
    ],
)
def test_a_client_is_not_sent_to_a_window_or_a_disk(code: str, language: str) -> None:
    scope = {"type": "http", "path": "/", "headers": [(b"accept-language", language.encode())]}
    values = dict.fromkeys(re.findall(r"{(\w+)", json.dumps(catalogue("en")[code])), "-")
    advice = json.loads(bytes(problem(scope, Unavailable(code, members=None, **values)).body))["advice"]
    away = r"window|this computer|cable|folder|--|IMAGEFLOW_|imageflow |\blog\b|ウィンドウ|フォルダー|ケーブル|ログ"
    assert not re.search(away, advice)
