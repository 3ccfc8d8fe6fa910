from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.serving import Served, serve_with_users


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that only add to it."""
    with serve_with_users(tmp_path_factory.mktemp("server")) as running:
        yield running
