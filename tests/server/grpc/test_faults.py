"""An error of a service arrives at its client as it was raised."""

from __future__ import annotations

import json

import grpc
import pytest

from models.errors import DoesNotFit
from models.messages import LocalText
from server.grpc.contract import ERROR_KEY
from server.grpc.faults import error_of, trailers_of

REFUSED = grpc.StatusCode.FAILED_PRECONDITION


def test_a_reason_within_an_error_can_be_read_in_every_language() -> None:
    raised = DoesNotFit("pipeline-does-not-fit", reason=LocalText.of("pipeline-without-step", {"step": "ai"}))
    arrived = error_of(REFUSED, None, trailers_of(raised), "filter")
    assert [arrived.text(language) for language in ("en", "ja")] == [raised.text(language) for language in ("en", "ja")]


@pytest.mark.parametrize("reason", [{}, {"code": "no-such-text", "values": {}}, {"code": 1, "values": {}}])
def test_what_is_no_part_of_a_text_of_ours_is_refused_as_an_error_of_another_program(reason: object) -> None:
    named = json.dumps({"code": "pipeline-does-not-fit", "type": "DoesNotFit", "values": {"reason": reason}})
    assert error_of(REFUSED, "odd", ((ERROR_KEY, named),), "filter").code == "service-refused"
