"""Lines that the clients of a broker repeat are logged once a minute, with a count of the others."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from server.events.kafka.client_log import QUIET_S, ClientLog
from tests.support.log_lines import log_lines

FORM = "%s [%s] %s"
REFUSED = "[thrd:10.0.0.5:9092/bootstrap]: 10.0.0.5:9092: Connection refused (after {}ms in state CONNECT)"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> ClientLog:
    return ClientLog(clock)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    return log_lines(monkeypatch, "server.events.kafka.client_log")


def test_a_line_that_repeats_itself_is_logged_once_a_minute(
    log: ClientLog, clock: Clock, lines: list[dict[str, Any]]
) -> None:
    for second in range(130):
        clock.now = float(second)
        log.log(logging.ERROR, FORM, "FAIL", "producer-1", REFUSED.format(second))
    assert [line["left_out"] for line in lines] == [0, QUIET_S - 1, QUIET_S - 1]


def test_a_line_has_members(log: ClientLog, lines: list[dict[str, Any]]) -> None:
    log.log(logging.ERROR, FORM, "FAIL", "producer-1", REFUSED.format(3))
    detail = "10.0.0.5:9092: Connection refused (after 3ms in state CONNECT)"
    (line,) = lines
    assert (line["facility"], line["client"], line["detail"]) == ("FAIL", "producer-1", detail)


def test_another_reason_is_logged_at_once(log: ClientLog, lines: list[dict[str, Any]]) -> None:
    log.log(logging.ERROR, FORM, "FAIL", "producer-1", REFUSED.format(1))
    log.log(logging.ERROR, FORM, "FAIL", "producer-1", "[thrd:x]: 10.0.0.5:9092: SASL authentication error")
    assert len(lines) == 2


def test_what_is_no_warning_is_left_out(log: ClientLog, lines: list[dict[str, Any]]) -> None:
    log.log(logging.INFO, FORM, "CONNECT", "producer-1", "connected")
    assert lines == []


def test_events_of_several_topics_are_one_line(log: ClientLog, lines: list[dict[str, Any]]) -> None:
    log.report("event not published", "the broker is away", topic="a")
    log.report("event not published", "the broker is away", topic="b")
    assert [line["topic"] for line in lines] == ["a"]
