"""What a station makes of the server's refusals."""

from __future__ import annotations

import pytest

from models.errors import NotSignedIn, PermissionDenied, TooLarge, Unavailable
from models.messages import LANGUAGES, Language
from sync.shared.problems import DEVICE_REFUSED, STORE_FORKED, TYPE_BASE, code_of, error_of

REFUSAL = {"type": "https://imageflow.example/problems/role-needed", "title": "Not allowed", "detail": "You may not."}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_reported_with_the_advice_of_the_server(language: Language) -> None:
    error = error_of(403, {**REFUSAL, "advice": "Ask a supervisor."})
    text = error.text(language)
    assert isinstance(error, PermissionDenied)
    assert (text.title, text.detail, text.advice) == ("Not allowed", "You may not.", "Ask a supervisor.")


def test_a_refusal_keeps_the_code_that_the_server_gave() -> None:
    assert code_of(error_of(403, REFUSAL)) == "role-needed"


def test_a_refusal_without_a_reason_is_reported_with_its_status() -> None:
    error = error_of(413, {})
    assert (type(error), code_of(error), error.values["status"]) == (TooLarge, "server-refused-unexplained", 413)


def test_a_fault_without_words_is_reported_with_its_status() -> None:
    error = error_of(502, {})
    assert (type(error), error.values["detail"]) == (Unavailable, "HTTP 502")


def test_a_station_that_is_not_accepted_is_advised_as_a_person_not_as_a_client() -> None:
    refusal = {"type": "https://imageflow.example/problems/device-wrong", "title": "T", "advice": "Check device_id."}
    error = error_of(401, refusal)
    assert (type(error), error.code, code_of(error)) == (NotSignedIn, DEVICE_REFUSED, DEVICE_REFUSED)
    assert error.members["problem"] == refusal


def test_a_fork_is_told_in_the_language_of_whoever_reads_it():
    error = error_of(409, {**REFUSAL, "type": TYPE_BASE + STORE_FORKED, "store_id_taken": True})
    assert (error.code, error.text("ja").title != error.text("en").title) == (STORE_FORKED, True)
