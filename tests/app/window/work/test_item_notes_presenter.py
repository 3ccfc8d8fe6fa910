"""Notes of items are shown once for each item and removed when they no longer apply."""

from __future__ import annotations

import pytest

from app.window.presenting.notices import Notices
from app.window.work.item_notes import ItemNotes
from models.errors import DoesNotFit


def note(item: str) -> DoesNotFit:
    return DoesNotFit("window-item-threshold-not-applicable", item=item)


@pytest.fixture
def notices() -> Notices:
    shown = Notices()
    shown.show_for("work")
    return shown


@pytest.fixture
def notes(notices: Notices) -> ItemNotes:
    return ItemNotes(notices)


def test_a_note_that_is_closed_stays_away(notices: Notices, notes: ItemNotes) -> None:
    first = note("Top")
    notes.show("top", [first])
    assert notices.shown is not None
    assert notices.shown.error is first
    notices.dismiss()
    notes.show("top", [note("Top")])
    assert notices.shown is None


def test_two_items_have_notes_of_their_own(notices: Notices, notes: ItemNotes) -> None:
    notes.show("top", [note("Top")])
    notes.show("side", [note("Side")])
    reported = []
    while (shown := notices.shown) is not None:
        reported.append(shown.error.values["item"])
        notices.dismiss()
    assert reported == ["Side", "Top"]


def test_a_note_gives_way_when_what_it_says_changes(notices: Notices, notes: ItemNotes) -> None:
    notes.show("top", [note("Top")])
    notes.show("top", [note("Top side")])
    assert notices.shown is not None
    assert notices.shown.error.values["item"] == "Top side"
    notices.dismiss()
    assert notices.shown is None
    notes.show("top", [note("Top")])
    notes.show("top", [])
    assert notices.shown is None


def test_after_leaving_work_everything_is_reported_again(notices: Notices, notes: ItemNotes) -> None:
    notes.show("top", [note("Top")])
    notes.clear()
    assert notices.shown is None
    notes.show("top", [note("Top")])
    assert notices.shown is not None
