from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.support.serving import Served, serve_with_users

# The log of servers in this process; what a real one logs is read in test_process.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that only add to it."""
    with serve_with_users(tmp_path_factory.mktemp("server")) as running:
        yield running
