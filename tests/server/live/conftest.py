from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.serving import Served, serve_with_users


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that runs no executions: the tests publish what happens to theirs."""
    with serve_with_users(tmp_path_factory.mktemp("live"), execution_slots=0) as running:
        yield running
