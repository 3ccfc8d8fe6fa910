"""The values of an error's text, stored for a reader whose language is not known yet."""

from __future__ import annotations

import json

from models.error_values import read_values, stored_values
from models.messages import LocalText


def test_a_part_in_the_language_of_the_reader_is_read_as_one() -> None:
    inner = LocalText.of("value-certificate-expired", {})
    reason = LocalText.of("value-certificate-not-accepted", {"reason": inner})
    read = read_values(json.loads(json.dumps(stored_values({"reason": reason}))))["reason"]
    assert isinstance(read, LocalText)
    assert (read, read.in_language("ja")) == (reason, reason.in_language("ja"))


def test_numbers_stay_numbers() -> None:
    assert stored_values({"count": 3, "share": 0.5, "path": None}) == {"count": 3, "share": 0.5, "path": "None"}


def test_what_an_engine_refuses_is_replaced_within_a_part_too() -> None:
    reason = LocalText.of("pipeline-without-step", {"step": "a\0b\ud800"})
    stored = stored_values({"name": "pu\0mp.csv", "share": float("nan"), "reason": reason})
    assert stored == {
        "name": "pu\ufffdmp.csv",
        "share": "NaN",
        "reason": {"code": "pipeline-without-step", "values": {"step": "a\ufffdb\ufffd"}},
    }
