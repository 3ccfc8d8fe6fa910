"""Alerts by mail: SMTP by the standard library, on the thread that delivers.

``smtplib`` speaks STARTTLS, TLS and AUTH; one message a connection needs no event loop and no further package.
"""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime

from models.clock import utc_now
from models.errors import InvalidInput, Unavailable
from server.alerts.texts import Letter
from server.core.settings import ServerSettings


def send_mail(settings: ServerSettings, delivery_id: str, address: str, letter: Letter) -> None:
    """Send a mail; it is taken, or an error says why not.

    Args:
        settings: host, security and account of the SMTP server.
        delivery_id: part of the Message-ID, the same when the mail is sent again.
        address: of the recipient.
        letter: subject and text.

    Raises:
        InvalidInput: ``mail-not-configured``, ``mail-refused`` for an address or account that is not taken.
        Unavailable: ``mail-unavailable``, to be tried again.
    """
    if settings.smtp_host is None or not settings.smtp_sender:
        raise InvalidInput("mail-not-configured")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.smtp_sender, address, letter.subject
    message["Date"] = format_datetime(utc_now())
    message["Message-ID"] = f"<{delivery_id}@{settings.smtp_sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.body)
    try:
        with _connected(settings) as client:
            if settings.smtp_username:
                secret = settings.smtp_password
                client.login(settings.smtp_username, secret.get_secret_value() if secret is not None else "")
            client.send_message(message)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPAuthenticationError) as error:
        if _is_temporary(error):
            raise Unavailable("mail-unavailable") from error
        raise InvalidInput("mail-refused") from error
    except smtplib.SMTPNotSupportedError as error:
        raise InvalidInput("mail-refused") from error
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable("mail-unavailable") from error


def _connected(settings: ServerSettings) -> smtplib.SMTP:
    host, port, timeout = settings.smtp_host or "", settings.smtp_port, settings.smtp_timeout_s
    verified = ssl.create_default_context(cafile=settings.smtp_ca)
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=timeout, context=verified)
    client = smtplib.SMTP(host, port, timeout=timeout)
    if settings.smtp_security == "starttls":
        try:
            client.starttls(context=verified)
        except BaseException:
            client.close()
            raise
    return client


def _is_temporary(error: smtplib.SMTPException) -> bool:
    """Return whether the server asks to try again: a code of 4xx (RFC 5321, section 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    else:
        codes = [error.smtp_code] if isinstance(error, smtplib.SMTPResponseException) else []
    return any(400 <= code < 500 for code in codes)  # noqa: PLR2004 - the classes of SMTP's replies
