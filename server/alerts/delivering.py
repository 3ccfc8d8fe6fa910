"""Delivery of alerts: each mail and call is kept in the database until the other side took it, or too often did not.

A delivery that falls due is put off before it is tried, so that another replica does not try it at the same time, and
one whose process dies is tried again: at least once, with the same id each time.
"""

from __future__ import annotations

import datetime
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alerts import Alert, AlertDelivery
from models.database import Database
from models.errors import Unavailable, UserFacingError
from models.states import AlertChannel
from server.alerts.mail import send_mail
from server.alerts.repository import due_deliveries
from server.alerts.texts import letter, webhook_body
from server.alerts.webhook import call_webhook
from server.core.metrics import Metrics
from server.core.settings import ServerSettings
from server.core.structlog_import import structlog

MOST_ATTEMPTS = 10
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5.0, 3_600.0
_JITTER = 0.2
_AT_ONCE = 10
_LOOK_S = 2.0
_LEASE_S = 300.0
_log = structlog.get_logger("imageflow.server")


@dataclass(frozen=True, slots=True)
class Errand:
    """A delivery that this process is to try, with its alert."""

    delivery: AlertDelivery
    alert: Alert


def pause_after(attempts: int, chance: Callable[[], float] = random.random) -> float:
    """Return the seconds before the next attempt: 5, 10, 20 … up to an hour, a fifth more or less.

    Args:
        attempts: that have failed, at least one.
        chance: from 0 to 1.
    """
    pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (attempts - 1))
    return float(pause_s * (1 + _JITTER * (2 * chance() - 1)))


def deliver_due(
    database: Database, settings: ServerSettings, metrics: Metrics, now: Callable[[], datetime.datetime]
) -> int:
    """Try the deliveries that are due, and return how many were tried.

    Raises:
        UserFacingError: when the database is not reachable.
    """
    errands = _take(database, now())
    for errand in errands:
        try:
            _send(settings, errand)
        except UserFacingError as error:
            _note_failure(database, errand, error, now())
            outcome = "failed"
        else:
            with database.local_transaction() as session:
                record = session.get_one(AlertDelivery, errand.delivery.id)
                record.delivered_at, record.due_at, record.last_error = now(), None, ""
            outcome = "delivered"
        metrics.alert_deliveries.labels(errand.delivery.channel.value, outcome).inc()
    return len(errands)


def _take(database: Database, now: datetime.datetime) -> list[Errand]:
    with database.read() as session:
        if session.scalar(select(AlertDelivery.id).where(AlertDelivery.due_at <= now).limit(1)) is None:
            return []
    with database.local_transaction() as session:
        found = due_deliveries(session, now, _AT_ONCE)
        for delivery in found:
            delivery.attempts += 1
            delivery.due_at = now + datetime.timedelta(seconds=_LEASE_S)
        return [Errand(delivery, _alert(session, delivery)) for delivery in found]


def _alert(session: Session, delivery: AlertDelivery) -> Alert:
    return session.get_one(Alert, delivery.alert_id)


def _send(settings: ServerSettings, errand: Errand) -> None:
    delivery, alert, language = errand.delivery, errand.alert, settings.alert_language
    if delivery.channel is AlertChannel.MAIL:
        send_mail(settings, delivery.id, delivery.destination, letter(alert, delivery.event, language))
    else:
        content = webhook_body(delivery.id, alert, delivery.event, language)
        call_webhook(settings, delivery.id, delivery.destination, content)


def _note_failure(database: Database, errand: Errand, error: UserFacingError, now: datetime.datetime) -> None:
    """Put a delivery off, or give it up: after many attempts, or at once where another would end the same."""
    with database.local_transaction() as session:
        record = session.get_one(AlertDelivery, errand.delivery.id)
        record.last_error = error.code
        if isinstance(error, Unavailable) and record.attempts < MOST_ATTEMPTS:
            record.due_at = now + datetime.timedelta(seconds=pause_after(record.attempts))
        else:
            record.due_at, record.given_up_at = None, now
    channel = errand.delivery.channel.value
    # Neither address nor URL: they are personal, or hold a secret of the other side.
    _log.warning("alert not delivered", channel=channel, error_code=error.code, delivery_id=errand.delivery.id)


class AlertDelivering:
    """Delivers on a thread of its own until it is stopped.

    Args:
        database: holds the deliveries.
        settings: of SMTP and webhooks.
        metrics: counts what was delivered.
        now: the time.
    """

    def __init__(
        self, database: Database, settings: ServerSettings, metrics: Metrics, now: Callable[[], datetime.datetime]
    ) -> None:
        self._arguments = (database, settings, metrics, now)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alert-delivery", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is being tried."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                tried = deliver_due(*self._arguments)
            except UserFacingError as error:
                _log.warning("alert deliveries not read", error_code=error.code)
                tried = 0
            if not tried:
                self._stopping.wait(_LOOK_S)
