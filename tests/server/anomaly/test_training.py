"""Training on uploaded tables, and weights that were trained elsewhere."""

from __future__ import annotations

import io
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from inspection.sensor import model_bytes
from models.errors import Unavailable
from models.ids import new_id
from models.sensors import SensorModelRecord, SensorModelStatus
from server.anomaly.schemas import SensorModelForm
from server.anomaly.training import SensorTrainings
from server.context import open_context
from server.core.settings import ServerSettings
from tests.support.awaiting import wait_until
from tests.support.log_lines import log_lines
from tests.support.sensor_models import COLUMNS, csv_text, rows, vector_model
from tests.support.serving import SETUP, Served

pytestmark = pytest.mark.slow
TABLE = csv_text(rows(300))
_HEAD, *_ROWS = TABLE.splitlines()
NUMBERED = "\n".join([f"number,{_HEAD}", *(f"{place},{line}" for place, line in enumerate(_ROWS))])
"""The table with a column that counts its rows."""
QUICK = {"epochs": 20}


def train(
    client: httpx.Client, table: str | bytes = TABLE, *, file: str = "data.csv", **settings: Any
) -> tuple[str, str]:
    """Upload a table and return id and sensor of the model."""
    sensor = f"pump-{new_id()}"
    data = {"sensor": sensor, "settings": json.dumps({**QUICK, **settings})}
    answer = client.post("/anomaly/models", files={"file": (file, table)}, data=data)
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "training"
    return answer.json()["id"], sensor


def ended(client: httpx.Client, model_id: str) -> dict[str, Any]:
    """Return a model once its training has ended."""
    found: dict[str, Any] = {}

    def done() -> bool:
        found.update(client.get(f"/anomaly/models/{model_id}").json())
        return bool(found["status"] != "training")

    assert wait_until(done)
    return found


def test_a_model_is_trained_on_a_table_from_upload_to_score(served: Served) -> None:
    model_id, sensor = train(served["supervisor"])
    shown = ended(served["inspector"], model_id)
    assert (shown["status"], shown["columns"], shown["rows"], shown["progress"]) == ("ready", list(COLUMNS), 300, 100)
    scored = [
        served["inspector"].post("/anomaly", json={"values": values, "sensor": sensor}).json()["status"]
        for values in ([1.2, 0.9, 1.1], [9.0, -4.0, 7.5])
    ]
    assert scored == ["normal", "anomaly"]


def test_torch_is_not_imported_by_the_server_that_trains(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # An import in this process would fail.
    model_id, _ = train(served["supervisor"])
    assert ended(served["inspector"], model_id)["status"] == "ready"


@pytest.mark.parametrize(
    "table",
    [
        TABLE.replace(",", ";").replace(".", ","),
        TABLE.replace(",", "\t"),
        "\n".join(TABLE.splitlines()[1:]),
        TABLE.encode("utf-16"),
        "sep=;\n" + TABLE.replace(",", ";"),
    ],
    ids=["german", "tab", "no-header", "utf-16", "sep"],
)
def test_a_table_of_any_dialect_is_read(served: Served, table: str | bytes) -> None:
    shown = ended(served["inspector"], train(served["supervisor"], table)[0])
    assert (shown["status"], shown["rows"]) == ("ready", 300)


def test_windows_are_trained_when_asked_for(served: Served) -> None:
    shown = ended(served["inspector"], train(served["supervisor"], window=5)[0])
    assert (shown["status"], shown["window"], shown["threshold_percent"]) == ("ready", 5, 99)


def test_what_the_table_left_open_is_reported(served: Served) -> None:
    shown = ended(served["inspector"], train(served["supervisor"], NUMBERED)[0])
    assert shown["columns"] == list(COLUMNS)
    assert any("number" in found and ": " in found for found in shown["findings"])


@pytest.mark.parametrize(
    ("table", "code"),
    [("speed\n1\n2\n", "sensor-too-few-rows"), ("words alone\n", "sensor-file-empty"), ("", "sensor-file-empty")],
)
def test_a_table_that_cannot_be_used_fails_with_its_reason(served: Served, table: str, code: str) -> None:
    shown = ended(served["inspector"], train(served["supervisor"], table)[0])
    assert (shown["status"], shown["error"]["code"]) == ("failed", code)
    assert shown["error"]["message"]


def test_a_failed_training_names_the_table_as_it_was_uploaded(served: Served) -> None:
    shown = ended(served["inspector"], train(served["supervisor"], "", file="pump.csv")[0])
    assert "pump.csv" in shown["error"]["message"]


def test_a_failed_training_shows_only_what_is_seen_of_a_file_name(served: Served) -> None:
    """Sent as it is: the client of the tests would write the NUL in another way."""
    head = 'Content-Disposition: form-data; name="file"; filename="plant/pu\0mp.csv"'
    settings = f'Content-Disposition: form-data; name="sensor"\r\n\r\npump-{new_id()}'
    body = f"--x\r\n{settings}\r\n--x\r\n{head}\r\n\r\n\r\n--x--\r\n".encode()
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    made = served["supervisor"].post("/anomaly/models", content=body, headers=kind).json()
    message = ended(served["inspector"], made["id"])["error"]["message"]
    assert ("pump.csv" in message, "plant" in message) == (True, False)


@pytest.mark.parametrize(
    "table", ["speed,current\n1,2\n3,x\n", "speed,current\n1,2\n3\n", "n\n" + "\n".join(map(str, range(300)))]
)
def test_the_advice_for_a_failed_training_names_no_option_of_the_command_line(served: Served, table: str) -> None:
    shown = ended(served["inspector"], train(served["supervisor"], table)[0])
    assert (shown["status"], "settings" in shown["error"]["message"]) == ("failed", True)
    assert "--" not in shown["error"]["message"]


def test_a_column_like_a_counter_is_kept_when_asked_for(served: Served) -> None:
    shown = ended(served["inspector"], train(served["supervisor"], NUMBERED, keep=["number"])[0])
    assert (shown["status"], shown["columns"]) == ("ready", ["number", *COLUMNS])


def test_a_failed_model_is_deleted(served: Served) -> None:
    model_id, _ = train(served["supervisor"], "speed\n1\n2\n")
    ended(served["inspector"], model_id)
    assert served["supervisor"].delete(f"/anomaly/models/{model_id}").status_code == 204


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ("{", "settings"),
        ("[]", "settings"),
        ('{"window": -1}', "settings.window"),
        ('{"percent": 50}', "settings.percent"),
        ('{"further": 1}', "settings.further"),
        ('{"sensor": "x"}', "settings.sensor"),
        ('{"encoding": "no-such"}', "settings.encoding"),
    ],
)
def test_settings_that_are_not_valid_name_the_field(served: Served, settings: str, field: str) -> None:
    files = {"file": ("data.csv", TABLE)}
    answer = served["supervisor"].post("/anomaly/models", files=files, data={"settings": settings})
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, field)


def test_a_server_that_stops_ends_the_training(tmp_path: Path) -> None:
    context = open_context(ServerSettings(data_dir=tmp_path))
    trainings = SensorTrainings(context)
    form = SensorModelForm(sensor="pump", epochs=10_000)
    reply, _ = trainings.begin(SETUP, form, io.BytesIO(TABLE.encode()))
    trainings.close()
    assert list((tmp_path / "trainings").iterdir()) == []
    with context.database.read() as session:
        assert session.get_one(SensorModelRecord, reply.id).status is not SensorModelStatus.READY
    context.close()


def test_an_end_that_the_store_did_not_take_is_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise Unavailable("database-unreachable")

    context = open_context(ServerSettings(data_dir=tmp_path))
    trainings = SensorTrainings(context)
    monkeypatch.setattr(trainings, "_finish", away)
    monkeypatch.setattr(trainings, "_failed", away)
    lines = log_lines(monkeypatch, "server.anomaly.training")
    reply, _ = trainings.begin(SETUP, SensorModelForm(sensor="pump", epochs=2), io.BytesIO(TABLE.encode()))
    found = wait_until(lambda: bool(lines))
    trainings.close()
    context.close()
    assert (found, [line.get("model") for line in lines]) == (True, [reply.id])


class Harmful:
    """Unpickling it would end the process that does so."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit(99)",))


def checkpoint(hidden: int = 4, *, between: bool = True) -> tuple[bytes, Any]:
    """Return a ``model.pth`` of the shape that is in use elsewhere, with the module it is of."""
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(3)
    middle = [nn.ReLU()] if between else []

    class Autoencoder(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, hidden), *middle)
            self.decoder = nn.Sequential(nn.Linear(hidden, 8), nn.ReLU(), nn.Linear(8, 3))

        def forward(self, values: Any) -> Any:
            return self.decoder(self.encoder(values))

    model = Autoencoder()
    values = torch.tensor(rows(300), dtype=torch.float32)
    scaled = (values - values.mean(0)) / values.std(0, unbiased=False)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        ((model(scaled) - scaled) ** 2).mean().backward()
        optimiser.step()
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    norms = (model(scaled) - scaled).norm(dim=1).detach().numpy()
    return buffer.getvalue(), norms


@pytest.mark.parametrize("between", [True, False], ids=["relu-between", "linear-between"])
def test_weights_of_encoder_plus_decoder_score_as_torch_does(served: Served, between: bool) -> None:
    data, norms = checkpoint(between=between)
    sensor = f"pump-{new_id()}"
    files = {"file": ("model.pth", data), "data": ("data.csv", TABLE)}
    answer = served["supervisor"].post("/anomaly/models", files=files, data={"sensor": sensor})
    assert answer.status_code == 201, answer.text
    assert ended(served["inspector"], answer.json()["id"])["status"] == "ready"
    body = {"rows": rows(300).tolist(), "sensor": sensor}
    results = served["inspector"].post("/anomaly/batch", json=body).json()["results"]
    assert [one["score"] for one in results] == pytest.approx(norms.tolist(), rel=1e-3, abs=1e-4)


def test_weights_without_their_data_are_refused(served: Served) -> None:
    data, _ = checkpoint()
    answer = served["supervisor"].post("/anomaly/models", files={"file": ("model.pth", data)})
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "data")


def test_weights_that_hold_more_than_tensors_are_not_executed(served: Served) -> None:
    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    torch.save({"encoder.0.weight": Harmful()}, buffer, pickle_module=pickle)
    files = {"file": ("model.pth", buffer.getvalue()), "data": ("data.csv", TABLE)}
    answer = served["supervisor"].post("/anomaly/models", files=files, data={"sensor": f"pump-{new_id()}"})
    shown = ended(served["inspector"], answer.json()["id"])
    assert (shown["status"], shown["error"]["code"]) == ("failed", "sensor-checkpoint-damaged")


def test_weights_of_another_width_than_their_data_are_refused(served: Served) -> None:
    data, _ = checkpoint()
    table = "\n".join(line.rpartition(",")[0] for line in TABLE.splitlines())
    files = {"file": ("model.pth", data), "data": ("data.csv", table)}
    answer = served["supervisor"].post("/anomaly/models", files=files, data={"sensor": f"pump-{new_id()}"})
    shown = ended(served["inspector"], answer.json()["id"])
    assert shown["error"]["code"] == "sensor-checkpoint-columns"


def refused(served: Served, files: dict[str, bytes], settings: dict[str, Any]) -> list[str]:
    """Return the fields that an upload is refused for."""
    form = {"settings": json.dumps(settings), "sensor": f"pump-{new_id()}"}
    answer = served["supervisor"].post("/anomaly/models", files={**files}, data=form)
    assert answer.status_code == 400, answer.text
    return [one["field"] for one in answer.json()["validation_errors"]]


@pytest.mark.parametrize("given", [{"window": 5}, {"keep": ["speed"]}, {"false_alarms_per_week": 1}])
def test_a_setting_that_weights_have_no_use_for_is_refused(served: Served, given: dict[str, Any]) -> None:
    data, _ = checkpoint()
    assert refused(served, {"file": data, "data": TABLE.encode()}, given) == [f"settings.{next(iter(given))}"]


@pytest.mark.parametrize(
    "given", [{"epochs": 3}, {"keep": ["speed"]}, {"percent": 99}, {"automatic": True}, {"missing": ["-999"]}]
)
def test_a_setting_that_a_whole_model_has_no_use_for_is_refused(served: Served, given: dict[str, Any]) -> None:
    files = {"file": model_bytes(vector_model())}
    assert refused(served, files, given) == [f"settings.{next(iter(given))}"]


@pytest.mark.parametrize("window", [1, 5])
def test_false_alarms_of_rows_that_are_no_series_are_refused(served: Served, window: int) -> None:
    asked = {"false_alarms_per_week": 1, "window": window}
    assert refused(served, {"file": TABLE.encode()}, asked) == ["settings.false_alarms_per_week"]


def test_a_percentile_beside_the_automatic_threshold_is_refused(served: Served) -> None:
    assert refused(served, {"file": TABLE.encode()}, {"automatic": True, "percent": 99}) == ["settings.percent"]


@pytest.mark.parametrize("whole", [False, True], ids=["table", "model"])
def test_data_beside_a_file_that_is_no_weights_is_refused(served: Served, whole: bool) -> None:
    file = model_bytes(vector_model()) if whole else TABLE.encode()
    assert refused(served, {"file": file, "data": TABLE.encode()}, {}) == ["data"]


def test_a_setting_as_it_is_without_being_given_is_accepted(served: Served) -> None:
    form = {"settings": json.dumps({"window": 1, "seed": 0}), "sensor": f"pump-{new_id()}"}
    files = {"file": model_bytes(vector_model())}
    assert served["supervisor"].post("/anomaly/models", files=files, data=form).status_code == 201
