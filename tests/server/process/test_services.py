"""When the services of a server are started."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.core.settings import ServerSettings
from server.process.services import starts_with_first_use


def test_services_of_this_computer_alone_start_with_their_first_use() -> None:
    assert starts_with_first_use(ServerSettings())


@pytest.mark.parametrize(
    "given",
    [
        {"grpc_host": "192.0.2.7", "grpc_secret": "s" * 32},
        {"grpc_host": "localhost"},
        {"grpc_filter": "10.0.0.5:50053"},
        {"grpc_tls_cert": Path("own.pem"), "grpc_tls_key": Path("own.key")},
        {"workers": 2},
    ],
    ids=lambda given: next(iter(given)),
)
def test_services_that_others_may_wait_for_start_with_the_server(given: dict[str, object]) -> None:
    assert not starts_with_first_use(ServerSettings(**given))
