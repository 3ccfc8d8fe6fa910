"""What a refused sign-in asks of the database does not tell whether the name exists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, func, select

from models.audit import AuditEntry
from models.errors import NotSignedIn
from models.states import Role
from models.users import SignInCount
from server.auth.identity.principal import Principal
from server.auth.service import sign_in
from server.context import ServerContext
from server.users.schemas import UserCreate
from server.users.service import create_user

HERE = "192.0.2.1"
ATTEMPTS = 3
"""The first of a made-up name within an hour has an audit entry, the others have none."""


@contextmanager
def traced(context: ServerContext) -> Iterator[list[str]]:
    """Note statements, savepoints and ends of transactions; one taken back looks like one that is kept."""
    seen: list[str] = []

    def note_statement(*given: Any) -> None:
        seen.append({"RELEASE": "END", "ROLLBACK": "END"}.get(word := given[2].split()[0], word))

    noted = {
        "before_cursor_execute": note_statement,
        "savepoint": lambda *_: seen.append("savepoint"),
        "rollback_savepoint": lambda *_: seen.append("end of savepoint"),
        "release_savepoint": lambda *_: seen.append("end of savepoint"),
        "commit": lambda *_: seen.append("commit"),
    }
    for name, note in noted.items():
        event.listen(context.database.engine, name, note)
    yield seen
    for name, note in noted.items():
        event.remove(context.database.engine, name, note)


def refused(context: ServerContext, name: str) -> list[list[str]]:
    """Return what each of some attempts with a wrong password asked of the database."""
    found = []
    for _ in range(ATTEMPTS):
        with traced(context) as seen, pytest.raises(NotSignedIn):
            sign_in(context, name, "a wrong password", HERE)
        found.append(seen)
    return found


def test_an_unknown_user_asks_of_the_database_what_a_known_one_does(context: ServerContext) -> None:
    made_by = Principal(None, "test", Role.ADMIN, None)
    create_user(context, made_by, UserCreate(username="known", password="a right password", role=Role.ADMIN))
    of_known, of_unknown = refused(context, "known"), refused(context, "unknown")
    assert "end of savepoint" in of_known[0]
    assert of_unknown == of_known


def test_names_that_nobody_has_fill_no_audit_trail(context: ServerContext) -> None:
    for number in range(ATTEMPTS):
        with pytest.raises(NotSignedIn):
            sign_in(context, f"made up {number}", "a wrong password", HERE)
    with context.database.read() as session:
        entries = session.scalar(select(func.count()).where(AuditEntry.action == "auth.refused"))
        counted = session.scalars(select(SignInCount.count)).all()
    assert (entries, ATTEMPTS in counted) == (1, True)
