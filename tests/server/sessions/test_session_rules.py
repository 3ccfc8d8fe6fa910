"""Who may do what with a session: every role at every place, as docs/server.md lists it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from models.errors import PermissionDenied
from models.states import Role, SessionStatus
from server.auth.identity.principal import Principal
from server.sessions.rules import Action, SessionOwner, actions_of, require_may

DOCUMENT = Path(__file__).parents[3] / "docs/server.md"
HERE, THERE = "station-1", "station-2"
# Columns of the table: device of the session, device that the caller is signed in at.
PLACES = ((HERE, HERE), ("server", None), (HERE, None), (HERE, THERE))
AFTER_THE_END = "correct after the end"


def table() -> dict[str, list[set[str]]]:
    """Return action → for each place the roles of the document."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("| action |"))
    rows: dict[str, list[set[str]]] = {}
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        action, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[action] = [{name.strip() for name in cell.split(",")} - {""} for cell in cells]
    return rows


TABLE = table()


@pytest.mark.parametrize("place", range(len(PLACES)), ids=["own station", "server", "no station", "other station"])
@pytest.mark.parametrize("action", TABLE)
def test_the_rules_are_those_of_the_document(action: str, place: int) -> None:
    device, signed_in_at = PLACES[place]
    asked = Action.CORRECT if action == AFTER_THE_END else Action(action)
    status = SessionStatus.COMPLETED if action == AFTER_THE_END else SessionStatus.IN_PROGRESS
    for role, started_it in itertools.product((None, *Role), (True, False)):
        if role is None and signed_in_at is None:
            continue  # There is no such caller.
        name = "station" if role is None else role.value
        who = Principal(None if role is None else "me", name, role, signed_in_at)
        listed = TABLE[action][place]
        expected = name in listed or (started_it and f"{name}*" in listed)
        owner = SessionOwner(device, "me" if started_it else "a colleague", status)
        assert allowed(who, asked, owner) == expected, (name, started_it)


def allowed(who: Principal, action: Action, owner: SessionOwner) -> bool:
    try:
        require_may(who, action, owner)
    except PermissionDenied:
        return False
    return True


def test_the_document_names_every_action() -> None:
    assert set(TABLE) == {*Action, AFTER_THE_END}


@pytest.mark.parametrize(
    ("who", "action", "owner", "code"),
    [
        (
            Principal("me", "me", Role.INSPECTOR, None),
            Action.START,
            SessionOwner(HERE),
            "session-of-another-device",
        ),
        (
            Principal("me", "me", Role.INSPECTOR, None),
            Action.CANCEL,
            SessionOwner("server", "colleague"),
            "session-of-another-user",
        ),
        (
            Principal("me", "me", Role.INSPECTOR, None),
            Action.CORRECT,
            SessionOwner("server", "me", SessionStatus.COMPLETED),
            "session-has-ended",
        ),
    ],
)
def test_a_refusal_says_what_is_missing(who: Principal, action: Action, owner: SessionOwner, code: str) -> None:
    with pytest.raises(PermissionDenied) as refusal:
        require_may(who, action, owner)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("changes", "actions"),
    [
        ({}, []),
        ({"lot": "L"}, [Action.CORRECT]),
        ({"status": SessionStatus.CANCELLED, "serial_number": "S"}, [Action.CORRECT, Action.CANCEL]),
        ({"status": SessionStatus.FAILED}, [Action.CANCEL]),
        ({"status": SessionStatus.COMPLETED}, [Action.COMPLETE]),
        ({"status": SessionStatus.IN_PROGRESS}, [Action.STEP]),
    ],
)
def test_a_change_of_a_session_is_named_by_what_it_does(changes: dict[str, object], actions: list[Action]) -> None:
    assert actions_of(changes) == actions
