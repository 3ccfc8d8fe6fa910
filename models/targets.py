"""Masters of the quality engineer: what is inspected, what is looked at, and the kinds of defect."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.named import UniquelyNamed, unique_while_kept
from models.synced import ListedMaster


class Target(ListedMaster, UniquelyNamed, Base, kw_only=True, eq=False):
    """The product or part type that is inspected (検査対象); ``code`` is unique, in any case and width."""

    __tablename__ = "targets"
    __table_args__ = (unique_while_kept("targets", "code"), unique_while_kept("targets", "name_key"))
    entity: ClassVar[str] = "target"
    unique_name: ClassVar[str] = "code"
    searched: ClassVar[tuple[str, ...]] = ("code", "name", "description")

    code: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    version: Mapped[str] = mapped_column(String(32), default="1")
    description: Mapped[str] = mapped_column(Text, default="")


class InspectionItem(ListedMaster, Base, kw_only=True, eq=False):
    """One thing to look at on a target (検査項目), with its pipeline and criteria.

    Attributes:
        position: order in which the items of a target are inspected, from 1.
        criteria: judgement criteria, in the form of ``inspection.judging.judgement.Criteria``.
        pipeline_parameters: step id → parameter → value; overrides the pipeline's own, for this item.
    """

    __tablename__ = "inspection_items"
    entity: ClassVar[str] = "item"
    searched: ClassVar[tuple[str, ...]] = ("name", "description")

    target_id: Mapped[str] = mapped_column(ForeignKey("targets.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=1)
    required: Mapped[bool] = mapped_column(default=True)
    criteria: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    pipeline_id: Mapped[str | None] = mapped_column(ForeignKey("pipelines.id"), default=None, index=True)
    pipeline_parameters: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)


class DefectClass(ListedMaster, UniquelyNamed, Base, kw_only=True, eq=False):
    """A kind of defect a person can mark, with its name in both languages; ``code`` is unique as that of a target."""

    __tablename__ = "defect_classes"
    __table_args__ = (unique_while_kept("defect_classes", "name_key"),)
    entity: ClassVar[str] = "defect_class"
    unique_name: ClassVar[str] = "code"
    searched: ClassVar[tuple[str, ...]] = ("code", "name_en", "name_ja")

    code: Mapped[str] = mapped_column(String(64))
    name_en: Mapped[str] = mapped_column(String(200))
    name_ja: Mapped[str] = mapped_column(String(200))
    severity: Mapped[str] = mapped_column(String(16), default="major")
