"""A machine's stream goes on where it was after the server's process was killed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from inspection.sensor import episodes_of, score_rows
from tests.support.sensor_models import rows, upload, window_model
from tests.support.server_process import run, server
from tests.support.serving import PASSWORD

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
VALUES = rows(60, seed=5)
STREAM = "/anomaly/streams/press-4"


def client_of(url: str) -> httpx.Client:
    base = f"{url}/api/v1"
    body = {"username": "anna", "password": PASSWORD}
    token = httpx.post(f"{base}/auth/login", json=body, trust_env=False, timeout=30).json()["access_token"]
    return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=30)


def push(client: httpx.Client, first: int, last: int, values: NDArray[np.float64] = VALUES) -> list[dict[str, Any]]:
    sent = [
        {"at": (BEGAN + timedelta(seconds=place)).isoformat(), "values": values[place].tolist()}
        for place in range(first, last)
    ]
    answer = client.post(STREAM, json={"rows": sent})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def add_admin(folder: Path) -> None:
    made = run(
        "admin", "users", "add", "anna", "--role", "admin", "--password-stdin", "--data-dir", folder, given=PASSWORD
    )
    assert made.returncode == 0, made.stderr


@pytest.mark.slow
def test_an_episode_goes_on_after_its_server_was_killed(tmp_path: Path) -> None:
    add_admin(tmp_path)
    values = VALUES.copy()
    values[20:30] += 3
    with server(tmp_path) as (process, url, _), client_of(url) as client:
        assert upload(client, window_model()).status_code == 201
        push(client, 0, 25, values)
        (begun,) = client.get(STREAM).json()["episodes"]
        process.kill()
        process.wait()
    with server(tmp_path) as (_, url, _), client_of(url) as client:
        assert client.get(STREAM).json()["episodes"] == [begun]
        push(client, 25, 60, values)
        (episode,) = client.get(STREAM).json()["episodes"]
    (wanted,) = episodes_of(score_rows(window_model(), values), window_model().metadata.hold_off)
    assert (begun["start"], begun["open"]) == (episode["start"], True)
    assert episode["anomalies"] == wanted.alarms > begun["anomalies"]
    assert datetime.fromisoformat(episode["end"]) == BEGAN + timedelta(seconds=wanted.end)


@pytest.mark.slow
def test_a_stream_goes_on_after_its_server_was_killed(tmp_path: Path) -> None:
    add_admin(tmp_path)
    with server(tmp_path) as (process, url, _), client_of(url) as client:
        assert upload(client, window_model()).status_code == 201
        found = push(client, 0, 23)
        before = client.get(STREAM).json()
        process.kill()
        process.wait()
    with server(tmp_path) as (_, url, _), client_of(url) as client:
        assert client.get(STREAM).json() == before
        # The last ones again: their answer may have been lost with the process.
        repeated = push(client, 20, 23)
        assert [one["repeated"] for one in repeated] == [True] * 3
        assert [one["score"] for one in repeated] == [one["score"] for one in found[20:]]
        found += push(client, 23, 60)
    scores = [np.nan if one["score"] is None else one["score"] for one in found]
    assert scores == pytest.approx(score_rows(window_model(), VALUES).scores.tolist(), nan_ok=True)
