"""What the server keeps of WebSocket clients: little of one that listens, nothing of one that has gone."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from server.http.websocket_protocol import WebSocketConnection
from tests.support.awaiting import wait_until
from tests.support.live_clients import live, message
from tests.support.serving import Served, serve_with_users

PATH = "/ws/system-status"
CYCLES = 100


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_with_users(tmp_path_factory.mktemp("connections")) as running:
        yield running


def connections() -> list[WebSocketConnection]:
    """The connections that this process still has."""
    gc.collect()
    # An instance of a lazy library is asked for its class by isinstance, and may warn.
    return [one for one in gc.get_objects() if issubclass(type(one), WebSocketConnection)]


def test_nothing_is_left_of_clients_that_have_gone(serving: Served) -> None:
    for _ in range(CYCLES):
        with live(serving, PATH) as client:
            assert message(client)["type"] == "system_status"
    assert wait_until(lambda: not connections(), 20)


def test_the_header_fields_of_a_client_are_forgotten_once_it_is_connected(serving: Served) -> None:
    with live(serving, PATH, user_agent_header="to be forgotten") as client:
        message(client)
        (connection,) = connections()
        parser = connection.conn.parser.gi_frame.f_locals
        assert list(parser["request"].headers) == []


def test_a_client_that_only_listens_may_say_what_it_likes(serving: Served) -> None:
    with live(serving, PATH) as client:
        message(client)
        for number in range(50):
            client.send(f"words {number}")
        assert client.ping().wait(20)
