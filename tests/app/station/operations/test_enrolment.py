"""Enrolment with a server that does not answer as it should."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.station.operations.enrolment import enrol
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from models.errors import InvalidInput, Unavailable
from tests.support.refusing_server import refusing


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Workspace]:
    """A store that belongs to no server yet."""
    with Workspace.open(tmp_path / "fresh", settings=StationSettings(request_timeout_s=1.0)) as workspace:
        yield workspace


@pytest.fixture
def silent() -> Iterator[str]:
    """Address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def faulty() -> Iterator[str]:
    """Address of a server that has a fault."""
    with refusing() as server:
        yield f"http://127.0.0.1:{server.server_port}"


def refusal(workspace: Workspace, server_url: str) -> Unavailable:
    with pytest.raises(Unavailable) as refused:
        enrol(workspace, server_url=server_url, code="ABCD-EFGH")
    assert not workspace.enrolled
    return refused.value


def test_enrolment_without_a_server_near_promises_no_inspection(fresh: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        nobody = f"http://127.0.0.1:{reserved.getsockname()[1]}"
    refused = refusal(fresh, nobody)
    assert (refused.code, refused.values["server"]) == ("enrolment-server-unreachable", nobody)


def test_enrolment_with_a_silent_server_promises_no_retry(fresh: Workspace, silent: str) -> None:
    refused = refusal(fresh, silent)
    assert (refused.code, refused.values["server"]) == ("enrolment-server-too-slow", silent)


def test_enrolment_with_a_faulty_server_promises_no_retry(fresh: Workspace, faulty: str) -> None:
    refused = refusal(fresh, faulty)
    assert (refused.code, refused.values["status"]) == ("enrolment-server-failing", 503)


def test_an_address_without_its_scheme_is_called_incomplete(fresh: Workspace) -> None:
    with pytest.raises(InvalidInput) as refused:
        enrol(fresh, server_url="localhost:8000", code="ABCD-EFGH")
    assert (refused.value.code, refused.value.values["server"]) == ("server-address-incomplete", "localhost:8000")


def test_an_address_in_full_width_is_understood(fresh: Workspace, faulty: str) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in faulty)
    assert refusal(fresh, wide).code == "enrolment-server-failing"
