"""The records that an item is inspected by; stations and the server find them in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.pipelines import ModelFile, Pipeline
from sync.shared.station_config import settings_for


@dataclass(frozen=True, slots=True)
class ItemRecords:
    """Finds records in the caller's transaction.

    Attributes:
        session: of the caller.
        device_id: of the station that inspects; None for settings of all stations.
    """

    session: Session
    device_id: str | None = None

    def pipeline(self, pipeline_id: str | None) -> Pipeline | None:
        """Return a pipeline; None without an id."""
        return self.session.get(Pipeline, pipeline_id) if pipeline_id is not None else None

    def model(self, name: str) -> ModelFile | None:
        """Return the model file that pipelines call ``name``."""
        return self.session.get(ModelFile, name)

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that the server hands to the station."""
        return settings_for(self.session, self.device_id)
