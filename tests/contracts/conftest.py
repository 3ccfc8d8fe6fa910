from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.benchmarks import private_postgresql as postgresql
from app.station.settings import StationSettings
from app.station.store_layout import DATABASE
from app.station.workspace import Workspace
from models.database import Database
from models.ids import new_id
from models.tracking import remote_changes
from resources.parts import PartsFolder
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from tests.support.newest_schema import newest_store
from tests.support.station import DEVICE, NOWHERE, Station, add_masters


@pytest.fixture(scope="session")
def postgresql_socket() -> Iterator[str]:
    programs = postgresql.find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed on this computer (apt-get install postgresql)")
    with postgresql.cluster(programs) as folder:
        yield folder


@pytest.fixture(scope="session")
def newest_postgresql(postgresql_socket: str) -> Iterator[str]:
    """Name of a database with the newest schema, to copy."""
    name = f"t{new_id()}"
    with postgresql.database(postgresql_socket, name) as url:
        migrated = Database(url)
        migrated.migrate()
        migrated.close()
        yield name


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each engine: with the newest schema for a ``context``, else empty."""
    served = "context" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "store.sqlite3"
        if served:
            path.write_bytes(newest_store())
        yield f"sqlite:///{path}"
        return
    template = {"template": request.getfixturevalue("newest_postgresql")} if served else {}
    with postgresql.database(request.getfixturevalue("postgresql_socket"), f"t{new_id()}", **template) as url:
        yield url


@pytest.fixture
def context(database_url: str, tmp_path: Path) -> Iterator[ServerContext]:
    """A server's parts on a database of each engine."""
    opened = open_context(ServerSettings(data_dir=tmp_path / "data", database_url=database_url))
    yield opened
    opened.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    store = tmp_path / "store"
    store.mkdir()
    (store / DATABASE).write_bytes(newest_store())
    with Workspace.open(store, settings=StationSettings()) as opened:
        opened.adopt(server_url=NOWHERE, device_id=DEVICE, credential="secret")
        yield opened


@pytest.fixture
def station(workspace: Workspace, tmp_path: Path) -> Station:
    """What a first pull brings; no model is trained yet."""
    nothing = PartsFolder(tmp_path, ())
    with workspace.database.transaction() as session, remote_changes(session):
        return add_masters(session, workspace.store, nothing)
