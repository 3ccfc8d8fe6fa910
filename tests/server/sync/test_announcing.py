"""Whom a commit of the change log is told, and how often."""

from __future__ import annotations

import asyncio
from pathlib import Path

from models.targets import Target
from server.change_log.recording import ChangeLogRecorder, Concern
from server.events.in_process import InProcessBus
from server.sync.events import SYNC_CHANGES, LogGrew, Pace, announce, concerns
from tests.support.sync_stores import ServerStore, Station, prepared


def announced(server: ServerStore) -> list[frozenset[Concern]]:
    """Return the list that gets whom each later commit concerns."""
    seen: list[frozenset[Concern]] = []
    recorder = server.database.recorder
    assert isinstance(recorder, ChangeLogRecorder)
    recorder.announce = seen.append
    return seen


def test_the_parts_of_a_station_concern_itself_alone(server: ServerStore, tmp_path: Path) -> None:
    station = Station(tmp_path / "s", server, "s")
    _, target, _ = prepared(server, station)
    seen = announced(server)
    station.inspect_part(target.id)
    station.sync()
    assert set().union(*seen) == {Concern(station.device_id, station.device_id)}
    station.close()


def test_a_masters_edit_at_a_station_concerns_all(server: ServerStore, tmp_path: Path) -> None:
    station = Station(tmp_path / "s", server, "s")
    user, target, _ = prepared(server, station)
    seen = announced(server)
    station.edit(Target, target.id, user.id, name="Other")
    station.sync()
    assert Concern(station.device_id, None) in set().union(*seen)
    station.close()


def test_a_thousand_changes_of_a_commit_are_announced_once(server: ServerStore) -> None:
    seen = announced(server)
    with server.database.transaction() as session:
        session.add_all(Target(code=f"T{number}", name="Plate") for number in range(1000))
    assert seen == [frozenset({Concern(None, None)})]


def test_what_concerns_only_its_author_is_not_published() -> None:
    async def first() -> LogGrew:
        bus = InProcessBus()
        async with bus.subscribe(SYNC_CHANGES) as events:
            announce(bus, [Concern("a", "a")])
            announce(bus, [Concern("a", None)])
            event = await anext(events)
        bus.close()
        return event.value

    assert asyncio.run(first()) == LogGrew(author="a", scope=None)


def test_a_station_is_told_what_others_made_for_it() -> None:
    assert concerns(LogGrew(author=None, scope=None), "a")
    assert concerns(LogGrew(author="b", scope=None), "a")
    assert concerns(LogGrew(author=None, scope="a"), "a")


def test_a_station_is_not_told_what_it_made_or_may_not_read() -> None:
    assert not concerns(LogGrew(author="a", scope=None), "a")
    assert not concerns(LogGrew(author=None, scope="b"), "a")


def test_the_first_news_is_told_at_once() -> None:
    pace = Pace(2.0)
    pace.news(100.0)
    assert pace.due == 100.0


def test_news_that_come_close_together_are_told_once() -> None:
    pace = Pace(2.0)
    pace.news(100.0)
    pace.told(100.0)
    assert pace.due is None
    for number in range(1000):
        pace.news(100.0 + number / 1000)
        assert pace.due == 102.0


def test_news_after_a_pause_are_told_at_once() -> None:
    pace = Pace(2.0)
    pace.told(100.0)
    pace.news(110.0)
    assert pace.due == 110.0
