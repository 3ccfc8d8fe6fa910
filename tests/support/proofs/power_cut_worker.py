"""The process whose disk is cut off: a station that records parts and synchronises them with a server beside it."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.proofs.mutations import plant

step, folder, bug = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
if bug:
    plant(bug)

from sqlalchemy import Engine, event  # noqa: E402 - after the bug is planted

from models.storage import sha256_of, sync_file  # noqa: E402
from server.objects.folder import write_made  # noqa: E402
from sync.shared.protocol import Batch, PushAnswer, UploadedBlobs, UploadState  # noqa: E402
from sync.station.sending import PieceSize  # noqa: E402
from tests.support.object_files import object_place  # noqa: E402
from tests.support.proofs.power_cut import PARTS, say  # noqa: E402
from tests.support.sync_stores import Link, ServerStore, Station, prepared  # noqa: E402

LEFT_AT_STATION, LEFT_AT_SERVER = 1, 2
"""Parts whose images are there already, under names that are not on the disk."""
CHECKPOINT_PAGES = 40
"""The log goes into the database this often, so that a few parts see it happen."""


class SpokenLink(Link):
    """Says what the server has acknowledged, before the station knows it."""

    def push(self, batch: Batch) -> PushAnswer:
        answer = super().push(batch)
        say(changes=[result.change_id for result in answer.results if result.rev is not None])
        return answer

    def begin_upload(self, request) -> UploadState:
        return self._spoken(request.sha256, super().begin_upload(request))

    def send_chunk(self, sha256: str, offset: int, data: bytes, total: int) -> UploadState:
        return self._spoken(sha256, super().send_chunk(sha256, offset, data, total))

    def send_blobs(self, blobs) -> UploadedBlobs:
        answer = super().send_blobs(blobs)
        say(blobs=[result.sha256 for result in answer.results if result.complete])
        return answer

    def _spoken(self, sha256: str, state: UploadState) -> UploadState:
        if state.complete:
            say(blobs=[sha256])
        return state


def image_of(part: int) -> bytes:
    return bytes([part]) * 1500


def leave_behind() -> None:
    """Leave what a process leaves that ends before it has flushed the names of its files."""
    left = station.blobs.path(sha256_of(image_of(LEFT_AT_STATION)))
    left.parent.mkdir(parents=True)
    with left.open("xb") as file:
        file.write(image_of(LEFT_AT_STATION))
        sync_file(file)
    image = image_of(LEFT_AT_SERVER)
    write_made(folder / "server" / "objects", [image], object_place(sha256_of(image)))


@event.listens_for(Engine, "connect")
def often(connection, _record) -> None:
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}").close()


server = ServerStore(folder / "server")
if step == "prepare":
    station = Station(folder / "station", server, "station")
    _, target, _ = prepared(server, station)
    (folder / "names").write_text(f"{station.device_id} {target.id}")
else:
    device_id, target_id = (folder / "names").read_text().split()
    station = Station(folder / "station", server, "station", device_id=device_id)
    station.link = SpokenLink(server, device_id)
    station.engine.client = station.link  # type: ignore[assignment]
    station.engine._pieces = PieceSize(4096)  # several small blobs at once, and one alone
    leave_behind()
    for number in range(PARTS):
        part = station.inspect_part(target_id, image=image_of(number))
        say(parts=[part])
        if number % 2:
            station.sync()
station.close()
server.close()
