"""A real server behind a link that delays, cuts and corrupts: every pass ends, and in the end both sides are equal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.errors import Unavailable
from models.ids import new_id
from models.targets import Target
from tests.support.certificates import Authority
from tests.support.proofs.bad_link import BadLink
from tests.support.proofs.whole import require_whole
from tests.support.real_server import ServerProcess
from tests.support.real_station import RealStation
from tests.support.sync_stores import masters, signed_in

pytestmark = pytest.mark.slow
PASSES = 6 * int(os.environ.get("IMAGEFLOW_PROOF_KILLS", "2"))
KINDS = (*[""] * 20, *["delay"] * 4, "cut", "corrupt")
"""Over TLS, which notices every byte that is not the one sent; without it, TCP's own sum has to."""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(tmp_path: Path, authority: Authority) -> Iterator[ServerProcess]:
    own = authority.sign("localhost")
    made = ServerProcess(tmp_path / "server", 0, "--tls-cert", str(own.certificate), "--tls-key", str(own.key))
    made.database().close()
    made.start()
    yield made
    made.stop()


def test_a_link_that_delays_cuts_or_corrupts_changes_nothing_in_the_end(
    tmp_path, server, authority, record_property
) -> None:
    with BadLink(server.port, 7, KINDS) as link:
        url, verify = f"https://localhost:{link.port}", str(authority.certificate)
        stations = [RealStation(tmp_path / name, server, name, url, verify=verify) for name in ("one", "two")]
        user, target, item = masters()
        server.add(user, target, item, *(signed_in(user, station.device_id) for station in stations))
        link.calm = True
        for station in stations:
            station.sync()
        link.calm = False
        for number in range(PASSES):
            for station in stations:
                station.inspect_part(target.id, user.id, image=f"{number} {new_id()}".encode() * 900)
                station.edit(Target, target.id, user.id, name=f"{station.device_id[-4:]} {number}")
                with contextlib.suppress(Unavailable):
                    station.sync()
        assert set(link.befallen) == {"delay", "cut", "corrupt"}
        for kind, count in sorted(link.befallen.items()):
            record_property(kind, count)
        link.calm = True
        for _ in range(2):
            for station in stations:
                report = station.sync()
                assert (report.dead, report.retried, report.problems) == (0, 0, ())
        require_whole(server, stations)
        for station in stations:
            station.close()
