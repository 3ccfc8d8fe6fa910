"""Masters that say how an item is inspected: pipelines, model files, and the settings handed to stations."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.synced import ListedMaster, Master


class Pipeline(ListedMaster, Base, kw_only=True, eq=False):
    """A processing definition; every change of ``definition`` makes a new ``version`` of it.

    Attributes:
        definition: in the form of ``inspection.pipeline.definition.PipelineDefinition``.
    """

    __tablename__ = "pipelines"
    entity: ClassVar[str] = "pipeline"
    searched: ClassVar[tuple[str, ...]] = ("name", "description")

    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    definition: Mapped[dict[str, Any]]


class ModelFile(Master, Base, kw_only=True, eq=False):
    """A model bundle: its blob by digest, what it is for and how good it was when it was made.

    Attributes:
        model_kind: ``anomaly`` or ``detector``.
        metrics: figures of the bundle at training time, for display and comparison.
        item_id: the item it was trained for, None for one of general use.
    """

    __tablename__ = "model_files"
    entity: ClassVar[str] = "model_file"

    name: Mapped[str] = mapped_column(String(200))
    model_kind: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    metrics: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    item_id: Mapped[str | None] = mapped_column(ForeignKey("inspection_items.id"), default=None)


class StationConfig(Master, Base, kw_only=True, eq=False):
    """Settings the server hands to stations: to one device, or to all where ``device_id`` is None."""

    __tablename__ = "station_configs"
    entity: ClassVar[str] = "station_config"

    device_id: Mapped[str | None] = mapped_column(String(64), default=None, index=True)
    settings: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
