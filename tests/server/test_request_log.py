"""The lines that the log has of requests."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from server.core.logs import EndedRequest, RequestLog, configure_logs
from server.core.structlog_import import structlog

SCORE = EndedRequest("POST", "/api/v1/anomaly", 200, 0.00126, "one.two-3_")
OTHER = EndedRequest("GET", "/api/v1/inspection/targets/{target_id}", 404, 2.5, "four")


def test_a_request_has_the_line_that_structlog_would_write(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    RequestLog().write([SCORE])
    members = {"method": SCORE.method, "route": SCORE.route, "status": 200, "milliseconds": 1.3}
    structlog.get_logger("imageflow.server").info("request", **members, request_id=SCORE.request_id)
    own, other = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    moments = [datetime.fromisoformat(line.pop("timestamp")) for line in (own, other)]
    assert list(own.items()) == list(other.items())
    assert timedelta(0) <= moments[1] - moments[0] <= datetime.now(UTC) - moments[0] < timedelta(minutes=1)


def test_requests_that_end_together_have_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO")
    RequestLog().write([SCORE, OTHER])
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["route"], line["status"], line["milliseconds"]) for line in lines] == [
        (SCORE.route, 200, 1.3),
        (OTHER.route, 404, 2500.0),
    ]


def test_a_log_of_warnings_has_no_lines_of_requests(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("warning")
    RequestLog().write([SCORE])
    assert capsys.readouterr().err == ""
