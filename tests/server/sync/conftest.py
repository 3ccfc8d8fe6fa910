from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sync_stores import ServerStore


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerStore]:
    store = ServerStore(tmp_path / "server")
    yield store
    store.close()
