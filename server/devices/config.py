"""The settings the server hands to stations: those for all, and a station's own over them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.devices import Device
from models.errors import Conflict, NotFound
from models.pipelines import StationConfig
from server.audit import AuditedChange, differences, record_changes
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.revisions import WHATEVER, Expected
from server.devices.schemas import StationConfigReply, StationConfigUpdate
from sync.shared.station_config import StationSettings, config_of, known_settings, settings_for


def get_config(context: ServerContext, device_id: str | None) -> StationConfigReply:
    """Return the settings that hold for a station, or those for all when none is named."""
    with context.database.read() as session:
        return _reply(session, device_id)


def set_config(
    context: ServerContext, who: Principal, body: StationConfigUpdate, expected: Expected = WHATEVER
) -> StationConfigReply:
    """Replace the settings for one station or for all, and return what holds for it now.

    Raises:
        NotFound: ``device-unknown``.
        PreconditionFailed: ``revision-mismatch``.
        Conflict: ``member-read-only``.
    """
    with context.database.transaction(who.user_id) as session:
        if body.device_id is not None and session.get(Device, body.device_id) is None:
            raise NotFound("device-unknown")
        present = _reply(session, body.device_id)
        expected.require(present)
        if "rev" in body.model_fields_set and body.rev != present.rev:
            raise Conflict("member-read-only", field="rev", members={"field": "rev"})
        settings = body.settings.model_dump(mode="json", exclude_none=True)
        record = config_of(session, body.device_id)
        if record is None and not settings:
            return present
        held = {} if record is None else record.settings
        if record is None:
            record = StationConfig(device_id=body.device_id, settings=settings)
            session.add(record)
        else:
            record.settings = settings
        session.flush()
        # Replaced as a whole: what is left out is taken back, of what a newer version has set too.
        before = known_settings(held)
        changes = differences(before, {**dict.fromkeys(before), **settings})
        unknown = tuple(f"settings.{name}" for name in sorted(held.keys() - before.keys()))
        made = AuditedChange(who, "station-config.set", record.entity, record.id, changes, unknown)
        record_changes(session, [made])
        session.flush()
        return _reply(session, body.device_id)


def _reply(session: Session, device_id: str | None) -> StationConfigReply:
    settings = settings_for(session, device_id)
    records = (config_of(session, owner) for owner in dict.fromkeys((None, device_id)))
    revisions = [record.rev for record in records if record is not None and record.rev is not None]
    known = StationSettings.model_validate(known_settings(settings))
    return StationConfigReply(device_id=device_id, settings=known, rev=max(revisions, default=None))
