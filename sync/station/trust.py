"""Whom a station believes to be the server of an address, and what to say when it does not."""

from __future__ import annotations

import socket
import ssl

from models.errors import Unavailable
from models.messages import LocalText

_REASONS = {
    2: "value-certificate-authority-unknown",
    9: "value-certificate-not-yet-valid",
    10: "value-certificate-expired",
    18: "value-certificate-self-signed",
    19: "value-certificate-authority-unknown",
    20: "value-certificate-authority-unknown",
    21: "value-certificate-authority-unknown",
    23: "value-certificate-revoked",
    62: "value-certificate-of-another-host",
    64: "value-certificate-of-another-host",
}
"""Texts by the codes of OpenSSL, X509_V_ERR_… (``x509_vfy.h``)."""


def server_trust() -> ssl.SSLContext:
    """Return what a server's certificate is checked by: public authorities and those that this system knows."""
    import httpx

    trusted = httpx.create_ssl_context(trust_env=False)
    # A company's own authority is known to its computers, not to the public list.
    trusted.load_default_certs()
    return trusted


def speaks_tls(host: str, port: int, timeout_s: float) -> bool:
    """Return whether what answers at an address does so with TLS, whatever its certificate."""
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asking.check_hostname = False
    asking.verify_mode = ssl.CERT_NONE  # nothing is sent
    try:
        with socket.create_connection((host, port), timeout_s) as connection, asking.wrap_socket(connection):
            return True
    except OSError:
        return False


def certificate_trouble(error: BaseException | None, server: str) -> Unavailable | None:
    """Return what is wrong with the certificate or encryption of ``server`` when ``error`` comes from that."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return Unavailable("server-certificate-untrusted", server=server, reason=verify_reason(error))
        # A server that is starting or ending closes the connection before it has said anything.
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return Unavailable("server-without-tls", server=server, reason=error.reason or "TLS")
        error = error.__cause__ or error.__context__
    return None


def verify_reason(error: ssl.SSLCertVerificationError) -> LocalText:
    """Return why a certificate was not accepted; OpenSSL's own words only for a reason that has no text."""
    code = _REASONS.get(error.verify_code)
    if code is None:
        return LocalText.of("value-certificate-not-accepted", {"reason": error.verify_message})
    return LocalText.of(code, {})
