"""Headers of the answer in an address that S3 has signed: Signature Version 4 in the query, as AWS' reference has it.

obstore signs an object's address alone. So the name and the type that the browser is to see are added, and the address
is signed anew with the secret that signed it before.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit, urlunsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNATURE = "X-Amz-Signature"
_CREDENTIAL, _DATE, _SIGNED = "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders"
_Query = list[tuple[str, str]]


def with_answer_headers(url: str, secret: str, headers: Mapping[str, str]) -> str | None:
    """Return an address whose answer has further headers; None when the secret is not the one that signed it.

    Args:
        url: signed for a GET, with no other signed header than the host.
        secret: secret key of the credential in ``url``.
        headers: by the names that S3 has for them: ``content-type``, ``content-disposition``.
    """
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    query = [(name, value) for name, value in given if name != _SIGNATURE]
    if dict(given).get(_SIGNATURE) != _signature(parts, query, secret):
        return None
    query += [(f"response-{name}", value) for name, value in headers.items()]
    signed = [*query, (_SIGNATURE, _signature(parts, query, secret))]
    return urlunsplit(parts._replace(query=_encoded(signed)))


def _signature(parts: SplitResult, query: _Query, secret: str) -> str:
    known = dict(query)
    date, scope = known.get(_DATE, ""), known.get(_CREDENTIAL, "").partition("/")[2]
    request = ["GET", parts.path, _encoded(sorted(query)), f"host:{parts.netloc}", "", known.get(_SIGNED, "")]
    digest = hashlib.sha256("\n".join([*request, "UNSIGNED-PAYLOAD"]).encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _keyed(key, part)
    return _keyed(key, "\n".join([_ALGORITHM, date, scope, digest])).hex()


def _keyed(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _encoded(query: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
