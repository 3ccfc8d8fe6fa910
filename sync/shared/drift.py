"""Counts and digests of records by entity and day: equal on both sides when they hold the same."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from models.clock import rfc3339
from models.synced import Synced, snapshot
from sync.shared.protocol import DayDigest

DRIFT_DAYS = 31
"""How many days back facts and sessions are looked at; masters are looked at whatever their age."""
_BYTES = 16


def day_digests(entity: str, records: Iterable[tuple[datetime, str]]) -> list[DayDigest]:
    """Return a digest for each day of the records of a kind, which may come in any order.

    Args:
        entity: their kind.
        records: time of creation and what is to be equal on both sides, of each.
    """
    counts: dict[str, int] = {}
    sums: dict[str, int] = {}
    for created_at, content in records:
        day = rfc3339(created_at)[:10]
        counts[day] = counts.get(day, 0) + 1
        sums[day] = sums.get(day, 0) ^ int.from_bytes(sha256(content.encode()).digest()[:_BYTES], "big")
    return [
        DayDigest(entity=entity, day=day, count=counts[day], digest=sums[day].to_bytes(_BYTES, "big").hex())
        for day in sorted(counts)
    ]


def content_of(record: Synced) -> str:
    """Return what must be equal of a master on both sides: its id and every wire field."""
    return json.dumps([record.id, snapshot(record)], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
