"""From a table of good rows to a mail about bad ones: training, active model, anomalies, a real SMTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.awaiting import wait_until
from tests.support.mail_server import MailServer, mail_server
from tests.support.sensor_models import csv_text, rows
from tests.support.serving import Served, serve_with_users

pytestmark = pytest.mark.slow
SENSOR = "pump"
GOOD, BAD = [1.2, 0.9, 1.1], [9.0, -4.0, 7.0]


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def mailing(tmp_path: Path, mails: MailServer) -> Iterator[Served]:
    post = {"smtp_host": "127.0.0.1", "smtp_port": mails.port, "smtp_security": "none"}
    with serve_with_users(tmp_path, smtp_sender="imageflow@example.com", **post) as served:
        yield served


def test_anomalies_by_a_trained_model_are_told_by_one_mail(mailing: Served, mails: MailServer) -> None:
    engineer, machine = mailing["supervisor"], mailing["integrator"]
    form = {"sensor": SENSOR, "settings": json.dumps({"epochs": 20})}
    made = engineer.post("/anomaly/models", files={"file": ("data.csv", csv_text(rows(300)))}, data=form).json()
    assert wait_until(lambda: engineer.get(f"/anomaly/models/{made['id']}").json()["status"] != "training")
    assert engineer.get(f"/anomaly/models/{made['id']}").json()["active"] is True
    who = {"after_rows": 3, "mail": ["line1@example.com"]}
    assert engineer.put(f"/anomaly/alerts/{SENSOR}", json=who).status_code == 200

    def score(values: list[float]) -> str:
        return str(machine.post("/anomaly", json={"values": values, "sensor": SENSOR}).json()["status"])

    found = [score(values) for values in (GOOD, BAD, BAD, GOOD, BAD, BAD, BAD, BAD)]
    assert found == ["normal", "anomaly", "anomaly", "normal", *["anomaly"] * 4]
    assert wait_until(lambda: bool(mails.mails), 60)
    assert score(GOOD) == "normal"
    assert wait_until(lambda: len(mails.mails) == 2, 60)
    raised, cleared = mails.mails
    assert raised["To"] == cleared["To"] == "line1@example.com"
    assert SENSOR in raised["Subject"]
