"""Fixtures of the engines that a test run shares: a Kafka-compatible broker and an S3 server."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support import private_s3
from tests.support.private_s3 import S3Server
from tests.support.shared_engines import shared_broker, shared_s3


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the broker: that of ``KAFKA_BOOTSTRAP``, else one of this run's own.

    Others work with the same one: give topics and groups names of your own.
    """
    given = os.environ.get("KAFKA_BOOTSTRAP")
    if given:
        yield given
        return
    with shared_broker(tmp_path_factory) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """The S3 server; make a bucket of your own."""
    if not private_s3.is_installed():
        pytest.skip("Ceph is not installed on this computer (deploy/test-packages.txt)")
    with shared_s3(tmp_path_factory) as server:
        yield server
