"""Alerts of sensors: by runs of anomalies, cleared by a normal row, with a stop of the line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from models.alerts import Alert, AlertDelivery, LineStop
from models.ids import new_id
from tests.support.awaiting import wait_until
from tests.support.sensor_models import rows, upload, vector_model, window_model
from tests.support.serving import Served, enrol

NORMAL, WILD = [1.2, 0.9, 1.1], [9.0, -4.0, 7.5]
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def sensor(served: Served) -> str:
    """A sensor whose alert is raised by two anomalies in a row."""
    name = f"pump-{new_id()}"
    upload(served["supervisor"], vector_model(), sensor=name)
    told(served, name)
    return name


def told(served: Served, sensor: str, **settings: Any) -> dict[str, Any]:
    body = {"after_rows": 2, "mail": ["line1@example.com"], "webhooks": ["https://example.com/stop"], **settings}
    answer = served["supervisor"].put(f"/anomaly/alerts/{sensor}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def score(served: Served, sensor: str, *values: list[float]) -> None:
    for one in values:
        assert served["inspector"].post("/anomaly", json={"values": one, "sensor": sensor}).status_code == 200


def alerts(served: Served, subject: str) -> list[Alert]:
    with served.context.database.read() as session:
        return list(session.scalars(select(Alert).where(Alert.source == "sensor", Alert.subject == subject)))


def is_open(served: Served, subject: str) -> bool:
    return any(one.open_key is not None for one in alerts(served, subject))


def test_a_run_of_anomalies_raises_one_alert(served: Served, sensor: str) -> None:
    score(served, sensor, WILD, WILD, WILD, WILD, WILD)
    assert wait_until(lambda: is_open(served, sensor))
    (alert,) = alerts(served, sensor)
    assert (alert.code, alert.details["sensor"]) == ("alert-sensor-anomaly", sensor)


def test_a_single_anomaly_raises_none(served: Served, sensor: str) -> None:
    score(served, sensor, WILD, NORMAL, WILD, NORMAL)
    other = f"pump-{new_id()}"
    upload(served["supervisor"], vector_model(), sensor=other)
    told(served, other)
    score(served, other, WILD, WILD)
    # Runs are told of one after the other: what came later has arrived.
    assert wait_until(lambda: is_open(served, other))
    assert alerts(served, sensor) == []


def test_a_normal_row_clears_the_alert(served: Served, sensor: str) -> None:
    score(served, sensor, WILD, WILD)
    assert wait_until(lambda: is_open(served, sensor))
    score(served, sensor, NORMAL)
    assert wait_until(lambda: not is_open(served, sensor))


def test_an_alert_goes_to_every_recipient(served: Served, sensor: str) -> None:
    score(served, sensor, WILD, WILD)
    assert wait_until(lambda: is_open(served, sensor))
    (alert,) = alerts(served, sensor)
    with served.context.database.read() as session:
        found = session.scalars(select(AlertDelivery).where(AlertDelivery.alert_id == alert.id))
        assert {one.destination for one in found} == {"line1@example.com", "https://example.com/stop"}


def test_the_line_is_stopped_where_that_is_set(served: Served, sensor: str) -> None:
    told(served, sensor, line_stop=True)
    score(served, sensor, WILD, WILD)
    assert wait_until(lambda: is_open(served, sensor))
    (alert,) = alerts(served, sensor)
    with served.context.database.read() as session:
        assert session.scalars(select(LineStop).where(LineStop.alert_id == alert.id)).one().released_at is None


def test_a_silenced_sensor_is_recorded_without_a_delivery(served: Served, sensor: str) -> None:
    told(served, sensor, silenced_until=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    score(served, sensor, WILD, WILD)
    assert wait_until(lambda: is_open(served, sensor))
    (alert,) = alerts(served, sensor)
    with served.context.database.read() as session:
        assert session.scalars(select(AlertDelivery).where(AlertDelivery.alert_id == alert.id)).all() == []


def test_a_sensor_that_nobody_is_told_of_raises_none(served: Served) -> None:
    name = f"pump-{new_id()}"
    upload(served["supervisor"], vector_model(), sensor=name)
    score(served, name, WILD, WILD, WILD)
    assert served["inspector"].get(f"/anomaly/alerts/{name}").status_code == 404
    assert alerts(served, name) == []


def test_a_stream_has_an_alert_of_its_own(served: Served) -> None:
    name, stream = f"pump-{new_id()}", new_id()
    upload(served["supervisor"], window_model(), sensor=name)
    told(served, name)
    values = [*rows(20).tolist(), *(rows(10) + 3.0).tolist()]
    sent = [{"at": (BEGAN + timedelta(seconds=place)).isoformat(), "values": row} for place, row in enumerate(values)]
    for first in range(0, len(sent), 3):
        served["inspector"].post(f"/anomaly/streams/{stream}", json={"rows": sent[first : first + 3], "sensor": name})
    (alert,) = alerts(served, f"{name}/{stream}")
    assert alert.open_key is not None


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("mail", ["nobody"]),
        ("mail", ["a@b.c\nBcc: d@e.f"]),
        ("webhooks", ["file:///etc/passwd"]),
        ("webhooks", ["https://10.0.0.1/"]),
        ("after_rows", 0),
    ],
)
def test_recipients_that_are_none_are_refused(served: Served, sensor: str, member: str, value: object) -> None:
    assert served["supervisor"].put(f"/anomaly/alerts/{sensor}", json={member: value}).status_code == 400


def test_a_station_to_stop_is_an_enrolled_one(served: Served, sensor: str) -> None:
    told(served, sensor, line_stop=True, stations=[enrol(served)["device_id"]])
    answer = served["supervisor"].put(f"/anomaly/alerts/{sensor}", json={"line_stop": True, "stations": [new_id()]})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "device-unknown")


def change(served: Served, sensor: str, tag: str) -> httpx.Response:
    path = f"/anomaly/alerts/{sensor}"
    return served["supervisor"].put(path, json={"after_rows": 7}, headers={"If-Match": tag})


def test_the_recipients_that_were_read_are_changed(served: Served, sensor: str) -> None:
    tag = served["inspector"].get(f"/anomaly/alerts/{sensor}").headers["etag"]
    changed = change(served, sensor, tag)
    assert (changed.status_code, changed.json()["after_rows"]) == (200, 7)
    assert changed.headers["etag"] not in {"", tag}


def test_recipients_that_were_changed_meanwhile_stay(served: Served, sensor: str) -> None:
    tag = served["inspector"].get(f"/anomaly/alerts/{sensor}").headers["etag"]
    told(served, sensor, after_rows=5)
    refused, present = change(served, sensor, tag), served["inspector"].get(f"/anomaly/alerts/{sensor}")
    assert (refused.status_code, present.json()["after_rows"]) == (412, 5)
    assert f'"{refused.json()["revision"]}"' == present.headers["etag"]


def test_recipients_that_are_not_set_have_no_revision(served: Served) -> None:
    refused = change(served, f"pump-{new_id()}", '"0"')
    assert (refused.status_code, refused.json()["revision"]) == (412, None)


def test_recipients_that_are_known_are_not_sent_again(served: Served, sensor: str) -> None:
    path = f"/anomaly/alerts/{sensor}"
    tag = served["inspector"].get(path).headers["etag"]
    assert served["inspector"].get(path, headers={"If-None-Match": tag}).status_code == 304
