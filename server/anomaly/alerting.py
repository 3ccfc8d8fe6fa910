"""Alerts of sensors: raised by a run of anomalies, cleared by the first normal row; one a sensor or stream."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from sqlalchemy.orm import Session

from models.clock import utc_now
from models.devices import Device
from models.errors import NotFound, UserFacingError
from models.sensors import SensorAlertSettings
from server.alerts.addresses import require_allowed
from server.alerts.raising import AlertReason, Recipients, clear_alert, open_key, raise_alert
from server.anomaly.alert_schemas import AlertSettings, AlertSettingsReply
from server.audit import audited, differences
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.records import require_record
from server.core.revisions import WHATEVER, Expected
from server.core.structlog_import import structlog

SOURCE = "sensor"
SUBJECT = "sensor-alerts"
_log = structlog.get_logger("imageflow.server")


def get_settings(context: ServerContext, sensor: str) -> AlertSettingsReply:
    """Return who is notified of a sensor; ``NotFound`` ``anomaly-alerts-unset``."""
    with context.database.read() as session:
        record = session.get(SensorAlertSettings, sensor)
        if record is None:
            raise NotFound("anomaly-alerts-unset", sensor=sensor)
        return AlertSettingsReply.model_validate(record)


def set_settings(
    context: ServerContext, who: Principal, sensor: str, body: AlertSettings, expected: Expected = WHATEVER
) -> AlertSettingsReply:
    """Set who is notified of a sensor, from the next row on.

    Raises:
        NotFound: ``device-unknown`` for a station to stop that is not enrolled.
        InvalidInput: ``validation-error`` for a webhook that may not be called.
        PreconditionFailed: ``revision-mismatch``.
    """
    chosen = body.model_dump()
    with context.database.local_transaction(who.user_id) as session:
        for device_id in body.stations or ():
            require_record(session, Device, device_id, "device-unknown")
        record = session.get(SensorAlertSettings, sensor, with_for_update=True)
        before = {} if record is None else {name: getattr(record, name) for name in chosen}
        if body.webhooks != before.get("webhooks"):
            require_allowed(body.webhooks, context.settings.alert_webhook_networks)
        if record is None:
            expected.require_none()
            record = SensorAlertSettings(sensor=sensor)
            session.add(record)
        else:
            expected.require(AlertSettingsReply.model_validate(record))
        for name, value in chosen.items():
            setattr(record, name, value)
        record.updated_at, record.updated_by = utc_now(), who.username
        session.flush()
        changes = differences(before, chosen)
        audited(session, who, f"{SUBJECT}.changed", SUBJECT, sensor, changes=changes)
        return AlertSettingsReply.model_validate(record)


def note_run(context: ServerContext, sensor: str, run: int, machine: str = "") -> None:
    """Raise the alert of a sensor when a run of anomalies is long enough, or clear it when the run has ended.

    Args:
        context: the server's parts.
        sensor: whose settings name the recipients.
        run: anomalies in a row; 0 when the last row is normal.
        machine: stream of the rows; empty for rows that name none.
    """
    subject = f"{sensor}/{machine}" if machine else sensor
    with context.database.transaction() as session:
        settings = session.get(SensorAlertSettings, sensor)
        if settings is None:
            return
        silenced = settings.silenced_until is not None and settings.silenced_until > utc_now()
        if run == 0:
            clear_alert(session, open_key(SOURCE, None, subject), _recipients(settings), silenced=silenced)
        elif run >= settings.after_rows:
            _raise(session, settings, subject, run, silenced=silenced)


class SensorAlerts:
    """Tells of runs on a thread of its own: rows are scored on the event loop, which must not wait for a commit.

    Args:
        context: the server's parts.
    """

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ThreadPoolExecutor-ALERTS")
        context.sensors.runs.listen(self.note)

    def note(self, sensor: str, run: int) -> None:
        """Tell of a run, soon."""
        self._thread.submit(note_run, self._context, sensor, run).add_done_callback(_logged)

    def close(self) -> None:
        """Tell of what is known yet, and stop."""
        self._thread.shutdown(wait=True)


def _raise(session: Session, settings: SensorAlertSettings, subject: str, run: int, *, silenced: bool) -> None:
    values = {"sensor": subject, "count": run}
    reason = AlertReason(SOURCE, settings.severity, "alert-sensor-anomaly", subject, details=values, data=dict(values))
    raise_alert(session, reason, _recipients(settings), silenced=silenced)


def _recipients(settings: SensorAlertSettings) -> Recipients:
    stations = None if settings.stations is None else tuple(settings.stations)
    return Recipients(tuple(settings.mail), tuple(settings.webhooks), settings.line_stop, stations)


def _logged(done: Future[None]) -> None:
    error = None if done.cancelled() else done.exception()
    if isinstance(error, UserFacingError):
        _log.warning("unavailable", code=error.code)
    elif error is not None:
        _log.error("bug", error=type(error).__name__, exc_info=error)
