"""``imageflow sync status``: what waits, what was refused, when it last succeeded, which releases are in use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from app.command_line.opened_store import opened_store
from app.command_line.options import JsonOption, StoreOption
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from app.station.operations.sync_overview import SyncOverview
    from sync.station.store_status import StoreStatus


def status_command(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Show what waits for the server, what it refused, when a pass last succeeded and why passes have failed since.

    \b
    Examples:
      imageflow sync status
      imageflow sync status --json
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import language
    from app.station.operations.sync_overview import sync_overview

    with opened_store(store, to_write=False) as workspace:
        found = sync_overview(workspace)
    if as_json:
        typer.echo(json.dumps(found.as_json(language()), ensure_ascii=False))
        return
    for line in _lines(found):
        typer.echo(line)


def _lines(found: SyncOverview) -> Iterator[str]:
    from app.command_line import language
    from models.clock import rfc3339
    from sync.station.hold import Hold

    status = found.status
    for stop in found.line_stops:
        yield phrase("status-line-stopped", time=rfc3339(stop.stopped_at), reason=stop.reason.in_language(language()))
    yield phrase("status-server", server=found.server or phrase("status-not-enrolled"))
    yield phrase("status-success", time=rfc3339(status.last_success) if status.last_success else phrase("status-never"))
    if found.next_pass is not None:
        yield phrase("status-next", time=rfc3339(found.next_pass), seconds=f"{found.interval_s:g}")
    if status.last_failure is not None:
        text = status.last_failure.text(language())
        yield phrase("status-failing", time=rfc3339(status.last_failure.since))
        yield phrase("status-trouble", text=text.explanation)
    kinds = ", ".join(f"{entity} {count}" for entity, count in found.pending.items())
    yield phrase("status-waiting", changes=sum(found.pending.values()), kinds=f" ({kinds})" if kinds else "")
    yield phrase("status-files", files=status.blobs_waiting, megabytes=f"{status.blob_bytes_waiting / 1e6:.1f}")
    if found.held is not Hold.NOTHING:
        yield phrase(f"status-held-{found.held.value}")
    elif found.metered:
        yield phrase("status-metered")
    yield phrase("status-refused", dead=status.dead, blocked=status.blocked)
    yield phrase("status-lost", conflicts=status.conflicts)
    yield from _store_lines(status.store)
    if status.sent_again is not None:
        again = status.sent_again
        yield phrase("status-again", records=again.records, blobs=again.blobs, time=rfc3339(again.at))
    for one in found.releases:
        state = "status-in-use" if one.in_use else "status-unused" if not one.code else "status-release-refused"
        yield phrase("status-release", item=one.item, name=one.name, state=phrase(state, code=one.code))
    yield phrase("status-place", generation=found.generation or "–", cursor=found.cursor or "–")


def _store_lines(store: StoreStatus) -> Iterator[str]:
    from models.clock import rfc3339

    if store.forked_at is not None:
        yield phrase("status-fork", time=rfc3339(store.forked_at), store=store.store_id or "–")
    if store.restored_at is not None:
        yield phrase("status-restored", time=rfc3339(store.restored_at))
    if store.revoked_at is not None:
        yield phrase("status-revoked", time=rfc3339(store.revoked_at))
    if store.waits_for_others:
        yield phrase("status-held-up", changes=store.waits_for_others)
    if store.drift is not None:
        yield phrase("status-drift", places=store.drift.count, time=rfc3339(store.drift.at))
