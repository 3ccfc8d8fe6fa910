"""Alerts reach a real SMTP server and a real HTTP server, signed, and are tried again until they do."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models.alerts import AlertDelivery
from models.clock import utc_now
from models.ids import new_id
from models.messages import error_text
from models.states import AlertChannel, Severity
from server.alerts.delivering import MOST_ATTEMPTS, deliver_due, pause_after
from server.alerts.raising import AlertReason, Recipients, clear_alert, raise_alert
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from tests.support.certificates import Authority
from tests.support.mail_server import ACCOUNT, PASSWORD, mail_server
from tests.support.newest_schema import newest_store
from tests.support.webhook_receiver import Receiver, receiver

LOOPBACK = ["127.0.0.0/8", "::1/128"]
KEY = "k" * 40
OPENED = Callable[..., ServerContext]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OPENED]:
    contexts: list[ServerContext] = []

    def make(**settings: Any) -> ServerContext:
        if not (tmp_path / "server.sqlite3").exists():
            (tmp_path / "server.sqlite3").write_bytes(newest_store())
        contexts.append(open_context(ServerSettings(data_dir=tmp_path, alert_webhook_key=KEY, **settings)))
        return contexts[-1]

    yield make
    for context in contexts:
        context.close()


def raised(context: ServerContext, **recipients: Any) -> AlertReason:
    details = {"threshold": "5", "rate": "7.2", "inspected": 50, "minutes": 60, "where": "*"}
    reason = AlertReason("quality", Severity.HIGH, "alert-ng-rate", new_id(), details=details, data={"x": 7.2})
    with context.database.transaction() as session:
        assert raise_alert(session, reason, Recipients(**recipients)) is not None
    return reason


def deliver(context: ServerContext, at: datetime | None = None) -> int:
    return deliver_due(context.database, context.settings, context.metrics, lambda: at or utc_now())


def delivery(context: ServerContext) -> AlertDelivery:
    with context.database.read() as session:
        return session.scalars(select(AlertDelivery)).one()


def test_a_mail_reaches_the_server_in_the_language_that_is_set(opened: OPENED) -> None:
    with mail_server() as server:
        smtp = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none"}
        context = opened(**smtp, smtp_sender="imageflow@example.com", alert_language="ja")
        raised(context, mail=("qa@example.com",))
        assert deliver(context) == 1
    (mail,) = server.mails
    assert (mail["To"], mail["From"]) == ("qa@example.com", "imageflow@example.com")
    assert mail["Subject"] == "[high] NG率が上限を超えました（>5%）"
    assert delivery(context).delivered_at is not None


def test_a_mail_about_everything_says_so_in_words(opened: OPENED) -> None:
    with mail_server() as server:
        smtp = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none"}
        context = opened(**smtp, smtp_sender="imageflow@example.com")
        raised(context, mail=("qa@example.com",))
        assert deliver(context) == 1
    (mail,) = server.mails
    everything = error_text("value-everything", {}, "en").detail
    text = str(mail.get_payload())
    assert (everything in text, "*" in text) == (True, False)


def test_a_mail_goes_by_starttls_with_a_sign_in(opened: OPENED, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    signed = authority.sign("localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(signed.certificate, signed.key)
    with mail_server(tls) as server:
        smtp = {"smtp_host": "localhost", "smtp_port": server.port, "smtp_ca": authority.certificate}
        account = {"smtp_username": ACCOUNT, "smtp_password": PASSWORD, "smtp_sender": "imageflow@example.com"}
        context = opened(**smtp, **account)
        raised(context, mail=("qa@example.com",))
        deliver(context)
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("answer", "error", "given_up"), [("451 later", "mail-unavailable", False), ("550 no", "mail-unavailable", False)]
)
def test_a_mail_that_is_not_taken_waits(opened: OPENED, answer: str, error: str, *, given_up: bool) -> None:
    with mail_server() as server:
        server.answers = [answer]
        smtp = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none"}
        context = opened(**smtp, smtp_sender="imageflow@example.com")
        raised(context, mail=("qa@example.com",))
        deliver(context)
        waiting = delivery(context)
        assert (waiting.last_error, waiting.given_up_at is not None, waiting.attempts) == (error, given_up, 1)
        deliver(context, utc_now() + timedelta(seconds=7))
    assert len(server.mails) == 1


def test_a_mail_is_given_up_at_once_where_none_is_set_up(opened: OPENED) -> None:
    context = opened()
    raised(context, mail=("qa@example.com",))
    deliver(context)
    assert (delivery(context).last_error, delivery(context).given_up_at is not None) == ("mail-not-configured", True)


def hooked(context: ServerContext, server: Receiver, path: str = "/hook?line=1") -> AlertReason:
    return raised(context, webhooks=(f"http://127.0.0.1:{server.port}{path}",))


def test_a_webhook_is_signed_over_its_time_stamp_with_its_body(opened: OPENED) -> None:
    with receiver() as server:
        context = opened(alert_webhook_networks=LOOPBACK)
        hooked(context, server)
        deliver(context)
    (head, body) = server.calls[0]
    signed = f"{head['X-ImageFlow-Timestamp']}.".encode() + body
    expected = hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
    assert head["X-ImageFlow-Signature"] == f"v1={expected}"
    assert abs(int(head["X-ImageFlow-Timestamp"]) - utc_now().timestamp()) < 60
    assert (json.loads(body)["event"], json.loads(body)["data"]) == ("raised", {"x": 7.2})


def test_a_webhook_goes_by_tls_to_the_host_that_it_names(opened: OPENED, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    signed = authority.sign("localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(signed.certificate, signed.key)
    with receiver(tls) as server:
        context = opened(alert_webhook_networks=LOOPBACK, alert_webhook_ca=authority.certificate)
        raised(context, webhooks=(f"https://localhost:{server.port}/",))
        deliver(context)
    assert server.calls[0][0]["Host"] == f"localhost:{server.port}"


def test_a_webhook_that_fails_is_called_again_with_the_same_id(opened: OPENED) -> None:
    with receiver() as server:
        server.answers = [503, 429, 500]
        context = opened(alert_webhook_networks=LOOPBACK)
        hooked(context, server)
        at = utc_now()
        for _ in range(6):
            deliver(context, at)
            at += timedelta(seconds=30)
    assert len(server.calls) == 4
    assert len({head["X-ImageFlow-Delivery"] for head, _ in server.calls}) == 1
    assert delivery(context).delivered_at is not None


def test_a_webhook_that_refuses_is_called_no_more(opened: OPENED) -> None:
    with receiver() as server:
        server.answers = [401]
        context = opened(alert_webhook_networks=LOOPBACK)
        hooked(context, server)
        deliver(context)
        assert deliver(context, utc_now() + timedelta(days=1)) == 0
    assert (delivery(context).last_error, delivery(context).given_up_at is not None) == ("webhook-refused", True)


def test_a_redirect_of_a_webhook_is_not_followed(opened: OPENED) -> None:
    with receiver() as server:
        server.answers, server.headers = [302], {"Location": "http://169.254.169.254/"}
        context = opened(alert_webhook_networks=LOOPBACK)
        hooked(context, server)
        deliver(context)
    assert (len(server.calls), delivery(context).last_error) == (1, "webhook-unavailable")


def test_a_webhook_within_this_network_is_never_called_by_default(opened: OPENED) -> None:
    with receiver() as server:
        context = opened()
        hooked(context, server)
        deliver(context)
    assert (server.calls, delivery(context).last_error) == ([], "webhook-address-refused")


def test_a_delivery_is_given_up_after_its_last_attempt(opened: OPENED) -> None:
    context = opened(alert_webhook_networks=LOOPBACK)
    raised(context, webhooks=("http://127.0.0.1:9/",))
    at = utc_now()
    for _ in range(MOST_ATTEMPTS + 2):
        deliver(context, at)
        at += timedelta(hours=2)
    assert (delivery(context).attempts, delivery(context).given_up_at is not None) == (MOST_ATTEMPTS, True)


def test_a_delivery_under_way_is_not_taken_by_another_process(opened: OPENED) -> None:
    with receiver() as server:
        context = opened(alert_webhook_networks=LOOPBACK)
        hooked(context, server)
        other = opened(alert_webhook_networks=LOOPBACK)
        taken: list[int] = []
        server.answers = [500]
        deliver_due(context.database, context.settings, context.metrics, utc_now)
        taken.append(deliver(other))
    assert taken == [0]


def test_a_delivery_whose_process_died_is_tried_again(opened: OPENED) -> None:
    with receiver() as server:
        context = opened(alert_webhook_networks=LOOPBACK)
        hooked(context, server)
        with context.database.local_transaction() as session:
            record = session.scalars(select(AlertDelivery)).one()
            record.attempts, record.due_at = 1, utc_now() + timedelta(minutes=5)
        again = opened(alert_webhook_networks=LOOPBACK)
        assert deliver(again) == 0
        assert deliver(again, utc_now() + timedelta(minutes=6)) == 1
    assert len(server.calls) == 1


def test_the_end_of_an_alert_is_told_too(opened: OPENED) -> None:
    with receiver() as server:
        context = opened(alert_webhook_networks=LOOPBACK)
        reason = hooked(context, server)
        told = Recipients(webhooks=(f"http://127.0.0.1:{server.port}/",))
        with context.database.transaction() as session:
            clear_alert(session, reason.open_key, told)
        deliver(context)
    assert sorted(json.loads(body)["event"] for _, body in server.calls) == ["cleared", "raised"]


def test_no_secret_of_a_delivery_is_in_the_database(opened: OPENED, tmp_path: Path) -> None:
    context = opened(smtp_password=PASSWORD, smtp_username=ACCOUNT)
    raised(context, mail=("qa@example.com",))
    deliver(context)
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("server.sqlite3*"))
    assert b"qa@example.com" in stored
    assert KEY.encode() not in stored
    assert PASSWORD.encode() not in stored


def test_pauses_double_up_to_an_hour() -> None:
    pauses = [pause_after(attempts, lambda: 0.5) for attempts in range(1, 13)]
    assert pauses[:4] == [5.0, 10.0, 20.0, 40.0]
    assert pauses[-1] == 3_600.0


def test_each_channel_is_counted(opened: OPENED) -> None:
    with receiver() as server:
        context = opened(alert_webhook_networks=LOOPBACK)
        hooked(context, server)
        deliver(context)
    line = f'imageflow_alert_deliveries_total{{channel="{AlertChannel.WEBHOOK}",outcome="delivered"}} 1.0'
    assert line in context.metrics.text().decode()
