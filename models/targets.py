"""Masters of the quality engineer: what is inspected, what is looked at, and the kinds of defect."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.synced import Master


class Target(Master, Base, kw_only=True, eq=False):
    """The product or part type that is inspected (検査対象); ``code`` is unique among those not deleted."""

    __tablename__ = "targets"
    __table_args__ = (
        Index(
            "uq_targets_code",
            "code",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )
    entity: ClassVar[str] = "target"

    code: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    version: Mapped[str] = mapped_column(String(32), default="1")
    description: Mapped[str] = mapped_column(Text, default="")


class InspectionItem(Master, Base, kw_only=True, eq=False):
    """One thing to look at on a target (検査項目), with its pipeline and criteria.

    Attributes:
        position: order in which the items of a target are inspected, from 1.
        criteria: judgement criteria, in the form of ``inspection.judging.judgement.Criteria``.
        pipeline_parameters: step id → parameter → value; overrides the pipeline's own, for this item.
    """

    __tablename__ = "inspection_items"
    entity: ClassVar[str] = "item"

    target_id: Mapped[str] = mapped_column(ForeignKey("targets.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=1)
    required: Mapped[bool] = mapped_column(default=True)
    criteria: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    pipeline_id: Mapped[str | None] = mapped_column(ForeignKey("pipelines.id"), default=None, index=True)
    pipeline_parameters: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)


class DefectClass(Master, Base, kw_only=True, eq=False):
    """A kind of defect a person can mark, with its name in both languages."""

    __tablename__ = "defect_classes"
    entity: ClassVar[str] = "defect_class"

    code: Mapped[str] = mapped_column(String(64))
    name_en: Mapped[str] = mapped_column(String(200))
    name_ja: Mapped[str] = mapped_column(String(200))
    severity: Mapped[str] = mapped_column(String(16), default="major")
