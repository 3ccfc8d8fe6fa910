from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.benchmarks import private_postgresql as postgresql
from models.ids import new_id
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings


@pytest.fixture(scope="session")
def postgresql_socket() -> Iterator[str]:
    programs = postgresql.find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed on this computer (apt-get install postgresql)")
    with postgresql.cluster(programs) as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.sqlite3'}"
        return
    with postgresql.database(request.getfixturevalue("postgresql_socket"), f"t{new_id()}") as url:
        yield url


@pytest.fixture
def context(database_url: str, tmp_path: Path) -> Iterator[ServerContext]:
    """A server's parts on an empty database of each engine."""
    opened = open_context(ServerSettings(data_dir=tmp_path / "data", database_url=database_url))
    yield opened
    opened.close()
