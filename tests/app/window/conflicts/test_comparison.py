"""The values of a conflict as a person compares them."""

from __future__ import annotations

from app.window.conflicts.comparison import compared

DIGEST = "e65ff2ead828ba2fd3bdc812c4d3a5a7e2b99be1d374e576d5b8434c7fb752bd"


def test_criteria_that_differ_in_the_threshold_alone_are_their_thresholds() -> None:
    values = [f'{{"threshold": {value}, "threshold_model": "{DIGEST}"}}' for value in (31.0, 32.0, 33.0)]
    assert compared(values) == ["threshold: 31.0", "threshold: 32.0", "threshold: 33.0"]


def test_a_member_that_only_one_side_has_is_shown_there() -> None:
    assert compared(['{"threshold": 31.0}', "{}"]) == ["threshold: 31.0", "–"]


def test_a_text_that_looks_like_a_number_is_told_from_it() -> None:
    assert compared(['{"lot": "1"}', '{"lot": 1}']) == ['lot: "1"', "lot: 1"]


def test_nothing_is_told_from_a_member_that_is_missing() -> None:
    assert compared(['{"lot": null}', "{}"]) == ["lot: null", "–"]


def test_a_text_of_many_brackets_is_no_object() -> None:
    assert compared(["[" * 20_000, "Lid"])[1] == "Lid"


def test_a_digest_is_shown_by_its_first_digits() -> None:
    assert compared([f'{{"model": "{DIGEST}"}}', '{"model": "none"}'])[0] == "model: e65ff2ea…"


def test_texts_that_are_no_objects_stay_as_they_are() -> None:
    assert compared(["Lid", "7"]) == ["Lid", "7"]


def test_a_long_word_may_be_broken_for_the_screen() -> None:
    (shown,) = compared(["x" * 100])
    assert max(len(part) for part in shown.split("\u200b")) == 24
    assert shown.replace("\u200b", "") == "x" * 100


def test_a_very_long_value_is_cut() -> None:
    (shown,) = compared(["word " * 1000])
    assert shown.endswith("…")
    assert len(shown) <= 601
