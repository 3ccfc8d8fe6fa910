"""One pass between a station and its server: what is done, in which order, and what it steps aside for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from models.clock import HybridLogicalClock, rfc3339, utc_now
from models.database import Database
from sync.station.blobs import BlobStore
from sync.station.claiming import PassClaim
from sync.station.client import ServerClient
from sync.station.comparing import Comparison
from sync.station.courtesy import Courtesy
from sync.station.drift import DriftCheck
from sync.station.fetching import BlobFetcher
from sync.station.progress import Amount, PassMeter, Stage, SyncProgress
from sync.station.pulling import Puller
from sync.station.pushing import Pusher
from sync.station.returned_images import ReturnedImages
from sync.station.sending import BlobSender, PieceSize
from sync.station.state import LAST_FAILURE, LAST_SUCCESS, set_value
from sync.station.status import SyncReport, stored_status

_PAGE_AT_WORK = 100
"""Changes of one request while parts are inspected: it is answered before the next part comes."""


class _Held(Exception):
    """A person let images wait in the middle of sending them."""


@dataclass(slots=True, kw_only=True)
class SyncPass:
    """Does one pass, once.

    Attributes:
        database: the station's store.
        blobs: its blob store.
        client: the server.
        clock: the station's clock.
        device_id: this station.
        machine: digest of this machine.
        page_size: changes read or asked for at a time.
        pieces: size of a piece of a blob, kept from pass to pass.
        courtesy: knows of the work that the pass steps aside for.
        fresh: set when a part was finished meanwhile, whose changes go before images.
        check: called between steps; raises when the pass is to stop.
        show: called with the progress after each step.
        files_wait: says whether images and models wait, by choice or for a link that costs nothing.
        note_images: notes images whose records came back, told whether anything was taken in.
        upkeep: called at the end; returns codes of what it could not do.
    """

    database: Database
    blobs: BlobStore
    client: ServerClient
    clock: HybridLogicalClock
    device_id: str
    machine: str
    page_size: int
    pieces: PieceSize
    courtesy: Courtesy
    fresh: threading.Event
    check: Callable[[], None]
    show: Callable[[SyncProgress], None]
    files_wait: Callable[[], bool]
    note_images: Callable[[ReturnedImages, bool], None]
    upkeep: Callable[[], Sequence[str]]
    _meter: PassMeter = field(init=False)
    _pusher: Pusher = field(init=False)

    def run(self) -> SyncReport:
        """Claim the store, push, pull, compare, send blobs and fetch models; return what came of it.

        Raises:
            UserFacingError: what the pass failed by; everything acknowledged so far is kept.
        """
        began = time.monotonic()
        before = stored_status(self.database)
        uploads = Amount(before.blobs_waiting, before.blob_bytes_waiting)
        self._meter = PassMeter({"push": Amount(before.waiting), "upload": uploads})
        pusher = self._pusher = Pusher(
            self.database, self.client, self.device_id, partial(self._step, "push"), page_size=self.page_size
        )
        comparison = Comparison(self.database, self.client, self.device_id, partial(self._step, "compare"))
        puller = Puller(self.database, self.client, self.clock, self.page_size, self._step, comparison.run_masters)
        sender = BlobSender(
            self.database, self.blobs, self.client, self.pieces, partial(self._step, "upload"), self._between
        )
        fetcher = BlobFetcher(
            self.database, self.blobs, self.client, partial(self._step, "download"), self.check, self.device_id
        )
        returned = ReturnedImages(self.database, self.blobs, self.client, self.device_id, self.check)
        PassClaim(self.database, self.client, self.device_id, self.machine).make()
        self.check()
        pusher.push_all()
        self.check()
        puller.pull_all()
        self.check()
        if DriftCheck(self.database, self.client, self.device_id).run():
            puller.pull_all()
        sent_again = comparison.run()
        if sent_again:
            pusher.push_all()
        self.note_images(returned, puller.pulled > 0)
        if (sender.has_any() or fetcher.has_any()) and not self.files_wait():
            with suppress(_Held):
                sender.send_all()
                fetcher.fetch_all()
        with self.database.transaction() as session:
            set_value(session, LAST_SUCCESS, rfc3339(utc_now()))
            set_value(session, LAST_FAILURE, None)
        return SyncReport(
            pushed=pusher.done.accepted,
            dead=pusher.done.dead,
            retried=pusher.done.retried,
            pulled=puller.pulled,
            conflicts=pusher.done.conflicts + puller.conflicts,
            blobs_sent=sender.sent,
            blobs_fetched=fetcher.fetched,
            full_resync=puller.full_resync,
            sent_again=sent_again,
            files_again=comparison.files_again,
            problems=(*sender.problems, *fetcher.problems, *self.upkeep()),
            seconds=time.monotonic() - began,
        )

    def _step(self, stage: Stage, count: int, size: int = 0) -> None:
        self.show(self._meter.add(stage, count, size))
        self._step_aside()

    def _step_aside(self) -> None:
        self.check()
        self.courtesy.step_aside()
        self._pusher.page_size = min(self.page_size, _PAGE_AT_WORK) if self.courtesy.at_work else self.page_size

    def _between(self) -> None:
        """Let the verdicts of a part that was finished meanwhile go before what is left of the images."""
        self._step_aside()
        if self.files_wait():
            raise _Held
        if self.fresh.is_set():
            self.fresh.clear()
            self._pusher.push_all()
