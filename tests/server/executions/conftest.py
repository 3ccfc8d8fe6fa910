from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.executing import Executing, executing_server


@pytest.fixture(scope="session")
def executing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executing]:
    """One server that runs executions, for all tests that only add to it."""
    with executing_server(tmp_path_factory.mktemp("executing")) as running:
        yield running
