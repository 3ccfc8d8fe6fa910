"""A station that listens to its server: woken by changes, well off without."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest

from models.ids import new_id
from models.targets import Target
from server.sync import endpoints
from sync.station.client import ServerClient
from sync.station.listening import ChangeListener
from tests.support.awaiting import wait_until
from tests.support.real_server import ServerProcess
from tests.support.real_station import RealStation
from tests.support.serving import Served, enrol, make_target, serve_with_users
from tests.support.sync_stores import masters, prepared, signed_in

SOON_S = 5.0
PATIENCE_S = 30.0


@dataclass
class Enrolling:
    """A served application as stations of ``RealStation`` take it."""

    served: Served

    @property
    def url(self) -> str:
        return self.served.url

    def add_device(self, name: str) -> tuple[str, str]:
        made = enrol(self.served, name)
        return made["device_id"], made["credential"]


class Waiting:
    """A TCP server that takes connections and says what it is given, or nothing."""

    def __init__(self, answer: bytes = b"") -> None:
        self.asked = threading.Semaphore(0)
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._taken: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            self._taken.append(taken)
            taken.recv(65_536)
            taken.sendall(self._answer)
            self.asked.release()
            if self._answer:
                taken.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for each in (*self._taken, self._listener):
            each.close()


class Signed(ServerClient):
    """A station with a token."""

    def authenticate_device(self) -> str:
        return "token"


@pytest.fixture(scope="module")
def enrolling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enrolling]:
    with serve_with_users(tmp_path_factory.mktemp("served"), execution_slots=0) as served:
        yield Enrolling(served)


@pytest.fixture(autouse=True)
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "TOLD_EVERY_S", 0.05)
    monkeypatch.setattr("sync.station.listening.LOOK_EVERY_S", 0.05)


def listening(station: RealStation) -> ChangeListener:
    """Let a station pass and listen by itself, with no pause before it acts."""
    listener = ChangeListener(station.client, station.engine.request, lambda: station.engine.online, lambda: 0.0)
    station.engine.told = lambda: listener.connected
    station.engine.start()
    listener.start()
    assert wait_until(lambda: listener.connected, PATIENCE_S)
    return listener


def holds(station: RealStation, target_id: str) -> bool:
    with station.database.read() as session:
        return session.get(Target, target_id) is not None


def test_a_change_reaches_a_station_long_before_its_interval(tmp_path: Path, enrolling: Enrolling) -> None:
    station = RealStation(tmp_path / "s", enrolling, f"s-{new_id()[-6:]}")  # type: ignore[arg-type]
    station.engine.interval_s = 3600.0
    listener = listening(station)
    made = make_target(enrolling.served)
    assert wait_until(lambda: holds(station, made["id"]), PATIENCE_S)
    assert listener.stop()
    station.close()


def test_a_connected_listener_ends_soon(tmp_path: Path, enrolling: Enrolling) -> None:
    station = RealStation(tmp_path / "s", enrolling, f"s-{new_id()[-6:]}")  # type: ignore[arg-type]
    listener = listening(station)
    assert listener.stop(SOON_S)
    assert not listener.connected
    assert not any(thread.name == "sync-listener" for thread in threading.enumerate())
    station.close()


def test_a_listener_that_is_started_twice_has_one_thread(tmp_path: Path, enrolling: Enrolling) -> None:
    station = RealStation(tmp_path / "s", enrolling, f"s-{new_id()[-6:]}")  # type: ignore[arg-type]
    listener = listening(station)
    listener.start()
    assert sum(thread.name == "sync-listener" for thread in threading.enumerate()) == 1
    assert listener.stop()
    listener.start()
    assert not any(thread.name == "sync-listener" for thread in threading.enumerate())
    station.close()


def test_an_older_server_is_asked_once() -> None:
    reason = HTTPStatus.NOT_FOUND
    with closing(Waiting(f"HTTP/1.1 {reason} {reason.phrase}\r\nContent-Length: 0\r\n\r\n".encode())) as server:
        woken: list[bool] = []
        listener = ChangeListener(Signed(server.url), lambda: woken.append(True), random=lambda: 0.0)
        listener.start()
        assert server.asked.acquire(timeout=PATIENCE_S)
        assert not server.asked.acquire(timeout=0.8), "a broken connection is made again after 0.5 s"
        assert not listener.connected
        assert listener.stop(SOON_S)
        assert woken == []


def test_a_listener_ends_while_the_server_leaves_it_waiting() -> None:
    with closing(Waiting()) as server:
        listener = ChangeListener(Signed(server.url), lambda: None)
        listener.start()
        assert server.asked.acquire(timeout=PATIENCE_S)
        assert listener.stop(SOON_S)


def test_no_connection_is_made_while_none_is_wanted() -> None:
    with closing(Waiting()) as server:
        asked = threading.Semaphore(0)

        def wanted() -> bool:
            asked.release()
            return False

        listener = ChangeListener(Signed(server.url), lambda: None, wanted)
        listener.start()
        assert asked.acquire(timeout=PATIENCE_S)
        assert asked.acquire(timeout=PATIENCE_S)
        assert listener.stop(SOON_S)
        assert not server.asked.acquire(blocking=False)


def test_the_interval_counts_again_when_the_server_is_lost(server, make_station) -> None:
    station = make_station()
    prepared(server, station)
    station.engine.interval_s = 0.05
    told = [True] * 4
    second = threading.Event()
    begin, passes = station.link.begin, []

    def counted(claim):
        passes.append(len(told))
        if len(passes) == 2:
            second.set()
        return begin(claim)

    station.link.begin = counted
    station.engine.told = lambda: bool(told) and told.pop()
    station.engine.start()
    assert second.wait(PATIENCE_S)
    assert station.engine.stop()
    assert passes[:2] == [4, 0]


def test_what_waits_here_is_sent_after_the_usual_interval(server, make_station) -> None:
    station = make_station()
    _, target, _ = prepared(server, station)
    station.engine.interval_s = 0.05
    asked: list[int] = []
    asked_before: list[int] = []
    begin, second = station.link.begin, threading.Event()

    def counted(claim):
        if asked:
            asked_before.append(len(asked))
            second.set()
        return begin(claim)

    def told() -> bool:
        if not asked:
            station.inspect_part(target.id)
        asked.append(1)
        return True

    station.link.begin = counted
    station.engine.told = told
    station.engine.start()
    assert second.wait(PATIENCE_S)
    assert station.engine.stop()
    # Once to say when the next pass is due, once at the end of the interval; ten more where nothing waited.
    assert asked_before[0] == 2


@pytest.mark.slow
def test_a_station_goes_on_by_its_interval_after_its_server_was_away(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "server")
    server.database().close()
    server.start()
    station = RealStation(tmp_path / "s", server, "s")
    user, target, item = masters()
    server.add(user, target, item, signed_in(user, station.device_id))
    listener = listening(station)
    assert wait_until(lambda: holds(station, target.id), PATIENCE_S)
    server.stop()
    assert wait_until(lambda: not listener.connected, PATIENCE_S)
    station.inspect_part(target.id)
    assert station.engine.status().waiting
    server.start()
    assert wait_until(lambda: station.engine.status().waiting == 0, PATIENCE_S)
    assert wait_until(lambda: listener.connected, PATIENCE_S)
    assert listener.stop()
    station.close()
    server.stop()
