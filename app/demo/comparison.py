"""Whether station and server hold the same: statistics, records, and every stored image byte for byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from app.station.operations.history import image_digests
from app.station.operations.statistics import station_statistics
from app.station.operations.store_check import check_store
from app.station.operations.sync_status import sync_status
from models.errors import UserFacingError
from models.storage import sha256_of
from models.synced import synced_types

if TYPE_CHECKING:
    from app.demo.server_setup import ServerAdministration
    from app.demo.wording import Wording
    from app.station.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the check at the end of the demo saw.

    Attributes:
        problems: a sentence for each thing that disagrees; empty when all is well.
        synced_records: records of the station that the server holds.
        unsynced_records: those it does not.
        images: image records compared byte for byte.
    """

    problems: tuple[str, ...]
    synced_records: int
    unsynced_records: int
    waiting: int
    dead: int
    images: int
    image_bytes: int
    station_statistics: dict[str, Any]
    server_statistics: dict[str, Any]

    @property
    def agrees(self) -> bool:
        """Whether nothing disagrees."""
        return not self.problems


def compare(
    workspace: Workspace, administration: ServerAdministration, expected_parts: int, wording: Wording
) -> Comparison:
    """Compare the station with its server, which must answer; ``wording`` has the texts.

    Raises:
        UserFacingError: when the server does not answer.
    """
    problems: list[str] = []
    here, of_server = station_statistics(workspace), administration.statistics()
    # The server also says how machine and person agree, which a station does not count.
    there = {name: of_server.get(name) for name in here}
    if here != there:
        problems.append(wording.phrase("problem-statistics", here=here, there=there))
    counted = here["summary"]["total_inspections"]
    if counted != expected_parts:
        problems.append(wording.phrase("problem-count", expected=expected_parts, counted=counted))
    synced, unsynced = _records(workspace)
    status = sync_status(workspace)
    if unsynced or status.waiting or status.blobs_waiting:
        problems.append(
            wording.phrase("problem-not-synced", records=unsynced, changes=status.waiting, files=status.blobs_waiting)
        )
    if status.dead:
        problems.append(wording.phrase("problem-dead", dead=status.dead))
    images, size = _compare_images(workspace, problems, wording)
    problems += [finding.sentence(wording.language) for finding in check_store(workspace.store).findings]
    return Comparison(tuple(problems), synced, unsynced, status.waiting, status.dead, images, size, here, there)


def _records(workspace: Workspace) -> tuple[int, int]:
    """Return how many records that travel the server has acknowledged, and how many it has not."""
    synced = unsynced = 0
    with workspace.database.read() as session:
        for kind in synced_types().values():
            total = session.scalar(select(func.count()).select_from(kind)) or 0
            known = session.scalar(select(func.count()).select_from(kind).where(kind.rev.is_not(None))) or 0
            synced, unsynced = synced + known, unsynced + total - known
    return synced, unsynced


def _compare_images(workspace: Workspace, problems: list[str], wording: Wording) -> tuple[int, int]:
    """Fetch every image of the station from the server and compare the bytes; return count and size."""
    images = image_digests(workspace)
    size = 0
    for image in images:
        ours = workspace.blobs.read(image.sha256)
        size += len(ours)
        try:
            theirs = workspace.link.client.get_bytes("/inspection/sync/download", params={"blob": image.sha256})
        except UserFacingError as error:
            reason = wording.trouble(error)
            problems.append(wording.phrase("problem-image-missing", image_id=image.image_id, reason=reason))
            continue
        if theirs != ours or sha256_of(theirs) != image.sha256:
            problems.append(wording.phrase("problem-image-differs", image_id=image.image_id))
    return len(images), size
