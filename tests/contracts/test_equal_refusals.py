"""What a refusal asks of the database does not tell whether the user, station or code exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, func, select

from models.audit import AuditEntry
from models.devices import Device
from models.errors import NotSignedIn
from models.ids import new_id
from models.states import Role
from models.users import SignInCount
from server.auth.identity.principal import Principal
from server.auth.identity.secrets import digest_of
from server.auth.service import check_device, sign_in
from server.context import ServerContext
from server.devices.codes import create_code, withdraw_code
from server.devices.service import register
from server.users.schemas import UserCreate
from server.users.service import create_user
from sync.shared.enrolment import DeviceRegister

HERE = "192.0.2.1"
MADE_BY = Principal(None, "test", Role.ADMIN, None)
ATTEMPTS = 3
"""The first of a made-up name within an hour has an audit entry, the others have none."""

Attempts = Callable[[ServerContext], Iterator[Callable[[], object]]]
"""Returns an attempt in the name of somebody known, and one in the name of nobody."""


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


def refused(context: ServerContext, attempt: Callable[[], object]) -> list[list[str]]:
    """Return what each of some refused attempts asked of the database."""
    found = []
    for _ in range(ATTEMPTS):
        with traced(context) as seen, pytest.raises(NotSignedIn):
            attempt()
        found.append(seen)
    return found


def of_users(context: ServerContext) -> Iterator[Callable[[], object]]:
    create_user(context, MADE_BY, UserCreate(username="known", password="a right password", role=Role.ADMIN))
    for name in ("known", "unknown"):
        yield partial(sign_in, context, name, "a wrong password", HERE)


def of_stations(context: ServerContext) -> Iterator[Callable[[], object]]:
    known = Device(name="known", credential_digest=digest_of("a right credential"))
    with context.database.local_transaction() as session:
        session.add(known)
    create_code(context, MADE_BY, "another")  # The first entry of a trail takes more statements than any other.
    for station in (known.id, new_id()):
        yield partial(check_device, context, station, "a wrong credential", HERE)


def of_codes(context: ServerContext) -> Iterator[Callable[[], object]]:
    known = create_code(context, MADE_BY, "known")
    withdraw_code(context, MADE_BY, known.id)
    for place, code in enumerate((known.code, "GUESSED")):
        # From two sites: here every attempt counts against the place that it comes from.
        yield partial(register, context, DeviceRegister(code=code), f"192.0.2.{place}")


@pytest.mark.parametrize("attempts", [of_users, of_stations, of_codes])
def test_the_unknown_asks_of_the_database_what_the_known_does(context: ServerContext, attempts: Attempts) -> None:
    of_known, of_unknown = (refused(context, attempt) for attempt in attempts(context))
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


def test_the_addresses_of_a_site_have_one_count_of_refusals(context: ServerContext) -> None:
    for number in range(ATTEMPTS):
        with pytest.raises(NotSignedIn):
            sign_in(context, f"made up {number}", "a wrong password", f"2001:db8:1:2::{number + 1}")
    with context.database.read() as session:
        entries = session.scalar(select(func.count()).where(AuditEntry.action == "auth.refused"))
    assert entries == 1
