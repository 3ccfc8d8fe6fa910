"""Releases of models to stations, and what a station found when it checked one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime, enumeration
from models.clock import utc_now
from models.states import ReleaseState
from models.synced import Master


class ModelRelease(Master, Base, kw_only=True, eq=False):
    """A model that stations are to inspect an item with instead of the one the item names; written by the server alone.

    Attributes:
        item_id: the item.
        model_id: the model file that is released.
        replaces_id: the model file that the item names; where it names another one the release has no effect.
        sha256: digest of the bundle, covered by ``signature``.
        stations: ids of the stations of the first stage; all stations when it is released.
        released_at: when it came to its present state.
        signature: Ed25519 over ``sync.shared.releases.statement``, base64.
        stage_signature: the same over ``stage_statement``: which stations it is meant for, since when.
    """

    __tablename__ = "model_releases"
    entity: ClassVar[str] = "model_release"

    name: Mapped[str] = mapped_column(String(200))
    item_id: Mapped[str] = mapped_column(ForeignKey("inspection_items.id"), index=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("model_files.id"))
    replaces_id: Mapped[str] = mapped_column(ForeignKey("model_files.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[ReleaseState] = mapped_column(enumeration(ReleaseState), default=ReleaseState.DRAFT)
    stations: Mapped[list[Any]] = mapped_column(default_factory=list)
    released_by: Mapped[str] = mapped_column(String(64), default="")
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    signature: Mapped[str] = mapped_column(String(128), default="")
    stage_signature: Mapped[str] = mapped_column(String(128), default="", server_default="")


class ReleaseCheck(Base, kw_only=True, eq=False):
    """What this station found when it checked a release: only one that held is inspected with. Never travels.

    Attributes:
        code: why it was refused; empty when it holds.
        signature: the one that was checked: a release that is signed anew is checked anew.
    """

    __tablename__ = "release_checks"

    release_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    code: Mapped[str] = mapped_column(String(64), default="")
    signature: Mapped[str] = mapped_column(String(128), default="")
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
