"""Finds what a server that went back to an older state has lost, and puts it into the outbox again.

A server that was restored from a backup no longer knows what it took after it. Masters are compared by the stamps of
their fields, facts and sessions of this station by their ids, blobs by their digests, page by page. A comparison that
is cut goes on from its last page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from models.audit import append_audit
from models.clock import rfc3339, utc_now
from models.database import Database
from models.states import ChangeOperation
from models.sync import Blob, OutboxEntry
from models.synced import Master, Synced, synced_types
from models.tracking import remote_changes
from sync.shared.protocol import MAX_COMPARED, HeldRecord, Inventory, StaleMaster
from sync.station.client import ServerClient
from sync.station.given_up import given_up, given_up_file
from sync.station.offering import held_master, offer
from sync.station.outbox import send_whole
from sync.station.state import ACKNOWLEDGED, COMPARED_TO, SENT_AGAIN, get_value, set_value

_BLOBS = "blobs"
_ACTOR = "imageflow"


def begin_comparison(session: Session) -> None:
    """Ask for a comparison after the next snapshot, within the caller's transaction."""
    set_value(session, ACKNOWLEDGED, None)
    set_value(session, COMPARED_TO, json.dumps({"entity": _entities()[0], "after": "", "records": 0, "blobs": 0}))


@dataclass(slots=True)
class Comparison:
    """Compares what is here with the server's.

    Attributes:
        database: the station's.
        client: the server.
        device_id: this station.
        step: called after each page with the number of records and blobs in it; may raise to stop.
        page_size: records and blobs compared at a time.
        files_again: blobs that wait again because of the comparison.
    """

    database: Database
    client: ServerClient
    device_id: str
    step: Callable[[int], None]
    page_size: int = MAX_COMPARED
    files_again: int = 0

    def run_masters(self) -> None:
        """Compare the masters if a comparison was asked for: before the snapshot, which brings the server's over them.

        Raises:
            UserFacingError: when the server does not answer; the next pass goes on from here.
        """
        place = self._place()
        if place is not None and place["entity"] in _masters():
            self._go_through(place, _masters())
            with self.database.transaction() as session:
                place["entity"] = _entities()[len(_masters())]
                set_value(session, COMPARED_TO, json.dumps(place))

    def run(self) -> int:
        """Compare everything if a comparison was asked for, and return how many records wait again because of it.

        Raises:
            UserFacingError: when the server does not answer; the next pass goes on from here.
        """
        place = self._place()
        if place is None:
            return 0
        self._go_through(place, _entities())
        self.files_again = int(place["blobs"])
        with self.database.transaction() as session:
            set_value(session, COMPARED_TO, None)
            if place["records"] or place["blobs"]:
                found = {"records": place["records"], "blobs": place["blobs"]}
                set_value(session, SENT_AGAIN, json.dumps({"at": rfc3339(utc_now()), **found}))
                append_audit(
                    session, device_id=self.device_id, actor=_ACTOR, action="sync.server_went_back", detail=found
                )
        return int(place["records"])

    def _place(self) -> dict[str, int | str] | None:
        with self.database.read() as session:
            text = get_value(session, COMPARED_TO)
        place: dict[str, int | str] | None = json.loads(text) if text is not None else None
        return place

    def _go_through(self, place: dict[str, int | str], entities: list[str]) -> None:
        for entity in entities[entities.index(str(place["entity"])) :]:
            place["entity"] = entity
            while self._page(place):
                pass
            place["after"] = ""

    def _page(self, place: dict[str, int | str]) -> bool:
        """Compare one page and note the place after it; False when there was nothing left."""
        entity, after = str(place["entity"]), str(place["after"])
        if entity == _BLOBS:
            held = Inventory(blobs=self._blobs(after))
        else:
            held = Inventory(records=self._records(synced_types()[entity], after))
        keys = [*(one.entity_id for one in held.records), *held.blobs]
        if not keys:
            return False
        lacking = self.client.compare(held)
        with self.database.transaction() as session:
            again = _send_again(session, lacking.records) + self._offer(session, lacking.masters)
            place["records"] = int(place["records"]) + again
            place["blobs"] = int(place["blobs"]) + _upload_again(session, lacking.blobs)
            place["after"] = keys[-1]
            set_value(session, COMPARED_TO, json.dumps(place))
        self.step(len(keys))
        return True

    def _records(self, record_type: type[Synced], after: str) -> list[HeldRecord]:
        if issubclass(record_type, Master):
            return self._held_masters(record_type, after)
        comes_anyway = exists().where(
            OutboxEntry.entity == record_type.entity,
            OutboxEntry.entity_id == record_type.id,
            OutboxEntry.op == ChangeOperation.INSERT,
        )
        query = (
            select(record_type.id, record_type.clock)
            .where(record_type.id > after, ~comes_anyway, ~given_up(record_type))
            .where(record_type.device_id == self.device_id)  # type: ignore[attr-defined]  # facts and sessions have it
            .order_by(record_type.id)
            .limit(self.page_size)
        )
        with self.database.read() as session:
            rows = session.execute(query).all()
        return [HeldRecord(entity=record_type.entity, entity_id=row.id, clock=row.clock) for row in rows]

    def _held_masters(self, record_type: type[Master], after: str) -> list[HeldRecord]:
        comes_anyway = exists().where(
            OutboxEntry.entity == record_type.entity,
            OutboxEntry.entity_id == record_type.id,
            OutboxEntry.op == ChangeOperation.INSERT,
        )
        query = select(record_type).where(record_type.id > after, ~comes_anyway, ~given_up(record_type))
        with self.database.read() as session:
            found = session.scalars(query.order_by(record_type.id).limit(self.page_size))
            return [held_master(record, self.device_id) for record in found]

    def _offer(self, session: Session, stale: Iterable[StaleMaster]) -> int:
        """Put into the outbox what the server lacks of masters, and return how many changes that are."""
        count = 0
        with remote_changes(session):
            for one in stale:
                record = session.get(synced_types()[one.entity], one.entity_id)
                if isinstance(record, Master):
                    count += offer(session, record, one, self.device_id)
        return count

    def _blobs(self, after: str) -> list[str]:
        sent = (Blob.present, Blob.uploaded_at.is_not(None), ~given_up_file())
        query = select(Blob.sha256).where(*sent, Blob.sha256 > after)
        with self.database.read() as session:
            return list(session.scalars(query.order_by(Blob.sha256).limit(self.page_size)))


def _masters() -> list[str]:
    return [name for name, kind in synced_types().items() if issubclass(kind, Master)]


def _entities() -> list[str]:
    """Return what is compared: masters first, parents before children."""
    made_here = [name for name, kind in synced_types().items() if not issubclass(kind, Master)]
    return [*_masters(), *made_here, _BLOBS]


def _send_again(session: Session, lacking: Iterable[HeldRecord]) -> int:
    """Put records into the outbox as they are now, and return how many."""
    count = 0
    with remote_changes(session):
        for one in lacking:
            record = session.get(synced_types()[one.entity], one.entity_id)
            if record is None:
                continue
            send_whole(session, record)
            count += 1
    return count


def _upload_again(session: Session, lacking: list[str]) -> int:
    if lacking:
        session.execute(update(Blob).where(Blob.sha256.in_(lacking)).values(uploaded_at=None))
    return len(lacking)
