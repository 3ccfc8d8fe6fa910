"""A name that no setting has is reported with the one that was most likely meant."""

from __future__ import annotations

import pytest

from models.misspelt import unknown_settings

KNOWN = ("sync_interval_s", "sync_hold", "threads")


@pytest.mark.parametrize("given", ["sync_interval", "sync_intervals_s", "snyc_interval_s"])
def test_a_misspelt_setting_is_reported_with_the_nearest_one(given: str) -> None:
    (found,) = unknown_settings([given, "threads"], KNOWN, "here")
    assert (found.code, found.values) == (
        "setting-misspelt",
        {"setting": given, "place": "here", "nearest": "sync_interval_s"},
    )


def test_a_setting_like_no_other_is_reported_without_a_suggestion() -> None:
    (found,) = unknown_settings(["colour"], KNOWN, "here")
    assert (found.code, found.values) == ("setting-unknown", {"setting": "colour", "place": "here"})


def test_known_settings_are_not_reported() -> None:
    assert unknown_settings(KNOWN, KNOWN, "here") == []
