from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.sync_stores import ServerStore, Station


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerStore]:
    store = ServerStore(tmp_path / "server")
    yield store
    store.close()


@pytest.fixture
def make_station(tmp_path: Path, server: ServerStore) -> Iterator[Callable[..., Station]]:
    made: list[Station] = []

    def make(name: str = "one", **options: object) -> Station:
        station = Station(tmp_path / name, server, name, **options)  # type: ignore[arg-type]
        made.append(station)
        return station

    yield make
    for station in made:
        station.close()
