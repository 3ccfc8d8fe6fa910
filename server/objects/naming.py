"""Which records name objects: the one list by which the object store is cleared of what none of them names."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.batches import in_batches
from models.pipelines import ModelFile
from models.releases import ModelRelease
from models.sensors import SensorModelRecord
from models.sessions import ImageRecord
from models.sync import StoredFile

NAMED_BY: tuple[InstrumentedAttribute[Any], ...] = (
    ImageRecord.sha256,
    ModelFile.sha256,
    ModelRelease.sha256,
    SensorModelRecord.sha256,
    SensorModelRecord.learned_sha256,
    StoredFile.sha256,
)
"""Every column that holds the digest of an object that must stay; results of executions are stored files."""


def named_among(session: Session, digests: Collection[str]) -> set[str]:
    """Return those of some digests that a record names."""
    found: set[str] = set()
    for some in in_batches(digests):
        found.update(session.scalars(union(*(select(column).where(column.in_(some)) for column in NAMED_BY))))
    return found
