"""Active models when a server starts, and keys that another process revokes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from inspection.sensor import model_bytes
from models.errors import Unavailable
from models.ids import new_id
from models.storage import sha256_of
from server.anomaly.schemas import SensorModelForm
from server.anomaly.service import keep_model
from server.anomaly.uploads import ModelFile
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.http.application import create_app
from server.users.keys import revoke_key
from tests.support.sensor_models import upload, vector_model
from tests.support.serving import SETUP, Served

ROW = {"values": [1.2, 0.9, 1.1]}


def keep(context: ServerContext) -> str:
    data = model_bytes(vector_model())
    keep_model(context, SETUP, SensorModelForm(), ModelFile(vector_model(), data, sha256_of(data)))
    return sha256_of(data)


def test_a_server_does_not_start_with_a_model_that_is_gone(tmp_path: Path) -> None:
    context = open_context(ServerSettings(data_dir=tmp_path))
    context.objects.delete(keep(context))
    with pytest.raises(Unavailable) as refused:
        create_app(context.settings, context)
    context.close()
    assert (refused.value.code, refused.value.values["sensor"]) == ("anomaly-model-unusable", "default")


def test_a_store_with_a_damaged_model_opens_for_its_administrator(tmp_path: Path) -> None:
    context = open_context(ServerSettings(data_dir=tmp_path))
    context.objects.delete(keep(context))
    context.close()
    open_context(ServerSettings(data_dir=tmp_path)).close()


def test_a_key_that_another_process_revokes_ends_with_the_next_request(served: Served) -> None:
    sensor = f"pump-{new_id()}"
    upload(served["supervisor"], vector_model(), sensor=sensor)
    made = served["admin"].post("/api-keys", json={"name": "PLC", "role": "integrator"}).json()
    elsewhere = open_context(served.context.settings)
    with served.client(**{"X-API-Key": made["key"]}) as client:
        before = [client.post("/anomaly", json={**ROW, "sensor": sensor}).status_code for _ in range(2)]
        revoke_key(elsewhere, SETUP, made["id"])
        after = client.post("/anomaly", json={**ROW, "sensor": sensor}).status_code
    elsewhere.close()
    assert (before, after) == ([200, 200], 401)


def test_a_body_that_comes_in_pieces_is_scored_the_same(served: Served) -> None:
    sensor = f"pump-{new_id()}"
    upload(served["supervisor"], vector_model(), sensor=sensor)
    body = b'{"values": [1.2, 0.9, 1.1], "sensor": "%s"}' % sensor.encode()
    head = {"Content-Type": "application/json"}
    whole = served["inspector"].post("/anomaly", content=body, headers=head)
    pieces = served["inspector"].post("/anomaly", content=iter((body[:10], body[10:])), headers=head)
    assert (whole.status_code, whole.json()) == (pieces.status_code, pieces.json())
    assert whole.headers.keys() - {"x-request-id"} == pieces.headers.keys() - {"x-request-id"}


def test_a_server_without_models_does_not_import_numpy() -> None:
    program = "import sys, server.http.application; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
