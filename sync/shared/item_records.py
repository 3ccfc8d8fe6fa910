"""The records that an item is inspected by; stations and the server find them in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.pipelines import ModelFile, Pipeline
from models.releases import ModelRelease, ReleaseCheck
from models.sync import SyncState
from sync.shared.releases import RELEASE_KEY, is_meant_for, stage_holds
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

    def replaced_models(self, item_id: str) -> Mapping[str, str]:
        """Return model file → the one that a release puts in its place at the station, when it has checked it."""
        if self.device_id is None:
            return {}
        release = active_release(self.session, self.device_id, item_id)
        return {release.replaces_id: release.model_id} if release is not None else {}


def active_release(session: Session, device_id: str, item_id: str) -> ModelRelease | None:
    """Return the release that a station inspects an item with: the newest one meant for it that it found to hold.

    That it is meant for the station is proven by the signature of its stage, each time: a stage changes, and what was
    found of the bytes goes on to hold.
    """
    key = session.get(SyncState, RELEASE_KEY)
    if key is None:
        return None
    query = (
        select(ModelRelease)
        .join(ReleaseCheck, ReleaseCheck.release_id == ModelRelease.id)
        .where(
            ModelRelease.item_id == item_id,
            ModelRelease.deleted_at.is_(None),
            ReleaseCheck.code == "",
            ReleaseCheck.signature == ModelRelease.signature,
        )
        .order_by(ModelRelease.released_at.desc(), ModelRelease.id.desc())
    )
    meant = meant_releases(session.scalars(query), device_id)
    return next((one for one in meant if stage_holds(one, one.stage_signature, key.value)), None)


def meant_releases(releases: Iterable[ModelRelease], device_id: str) -> Iterator[ModelRelease]:
    """Yield those of ``releases`` that say of themselves that a station shall inspect with them."""
    return (release for release in releases if is_meant_for(release.state, release.stations, device_id))
