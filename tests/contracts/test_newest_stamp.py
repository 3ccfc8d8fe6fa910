"""A server's clock goes on, after a restart, from everything its store has a stamp of."""

from __future__ import annotations

import pytest

from models.clock import Stamp
from models.targets import Target
from server.change_log.newest_stamp import newest_stamp
from server.context import ServerContext

AHEAD = Stamp(4_000_000_000_000, 0, "a-station")


def test_a_new_store_has_no_newest_stamp(context: ServerContext) -> None:
    with context.database.read() as session:
        assert newest_stamp(session) is None


@pytest.mark.parametrize("behind", [False, True], ids=["of the server", "of a station, newer"])
def test_the_newest_stamp_is_that_of_a_master_whoever_changed_it(context: ServerContext, behind: bool) -> None:
    made = Target(code="P", name="Plate")
    with context.database.transaction() as session:
        session.add(made)
    if behind:
        with context.database.local_transaction() as session:
            session.execute(Target.__table__.update().values(clock=str(AHEAD)))
    with context.database.read() as session:
        own = Stamp.parse(session.get_one(Target, made.id).clock)
        assert newest_stamp(session) == (AHEAD if behind else own)
