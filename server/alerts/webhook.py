"""Alerts by webhook: a signed POST to an address that was checked.

The signature is HMAC-SHA256 (RFC 2104) over time stamp, a full stop and the body, so that a call can neither be forged
nor be sent again later: the receiver compares both and refuses what is older than some minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable
from typing import Any

from models.errors import InvalidInput, Unavailable
from server.alerts.addresses import Destination, destinations_of
from server.core.kept_keys import given_or_kept_key
from server.core.settings import ServerSettings

WEBHOOK_KEY_FILE = "webhook.key"
SIGNATURE, TIMESTAMP, DELIVERY = "X-ImageFlow-Signature", "X-ImageFlow-Timestamp", "X-ImageFlow-Delivery"
_GOOD, _REFUSED = range(200, 300), range(400, 500)
_WORTH_REPEATING = {408, 425, 429}


def webhook_key(settings: ServerSettings) -> str:
    """Return the key that calls are signed with: from the environment, or from a file (mode 0600).

    Raises:
        InvalidInput, Unavailable: as ``kept_key``.
    """
    return given_or_kept_key(settings.alert_webhook_key, settings.data_dir, WEBHOOK_KEY_FILE)


def signature(key: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a call: ``v1=`` and the digest in hexadecimal digits."""
    digest = hmac.new(key.encode(), timestamp.encode("ascii") + b"." + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def call_webhook(
    settings: ServerSettings,
    delivery_id: str,
    url: str,
    content: dict[str, Any],
    *,
    now: Callable[[], float] = time.time,
) -> None:
    """Call a webhook; it answers 2xx, or an error says why not.

    Args:
        settings: key, allowed networks and time limit.
        delivery_id: the same when the call is repeated.
        url: of ``require_webhook_url``.
        content: sent as JSON.
        now: seconds since 1970.

    Raises:
        InvalidInput: ``webhook-address-refused``, ``webhook-refused`` for an answer that a repetition does not change.
        Unavailable: ``webhook-host-unknown``, ``webhook-unavailable``, to be tried again.
    """
    destinations = destinations_of(url, settings.alert_webhook_networks)
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = str(int(now()))
    headers = {
        "Host": destinations[0].authority,
        "Content-Type": "application/json",
        "User-Agent": "ImageFlow-Server",
        DELIVERY: delivery_id,
        TIMESTAMP: timestamp,
        SIGNATURE: signature(webhook_key(settings), timestamp, body),
    }
    host, status = destinations[0].host, _post(settings, destinations, headers, body)
    if status in _GOOD:
        return
    if status in _REFUSED and status not in _WORTH_REPEATING:
        raise InvalidInput("webhook-refused", host=host, status=status)
    raise Unavailable("webhook-unavailable", host=host)


def _post(settings: ServerSettings, destinations: list[Destination], headers: dict[str, str], body: bytes) -> int:
    """Return the status of the first address that answers; ``Unavailable`` ``webhook-unavailable`` of none."""
    # Loaded with the first call.
    import httpx

    verified = ssl.create_default_context(cafile=settings.alert_webhook_ca)
    timeout = settings.alert_webhook_timeout_s
    failure: Exception | None = None
    with httpx.Client(trust_env=False, follow_redirects=False, timeout=timeout, verify=verified) as client:
        for where in destinations:
            named = {"sni_hostname": where.host}
            try:
                with client.stream("POST", where.url, content=body, headers=headers, extensions=named) as answer:
                    return answer.status_code  # The body is not read: it may have no end.
            except httpx.ConnectError as error:
                failure = error
            except (httpx.HTTPError, OSError) as error:
                raise Unavailable("webhook-unavailable", host=where.host) from error
    raise Unavailable("webhook-unavailable", host=destinations[0].host) from failure
