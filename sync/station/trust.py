"""Whom a station believes to be the server of an address, and what to say when it does not."""

from __future__ import annotations

import ssl

from models.errors import Unavailable


def server_trust() -> ssl.SSLContext:
    """Return what a server's certificate is checked by: public authorities and those that this system knows."""
    import httpx

    trusted = httpx.create_ssl_context(trust_env=False)
    # A company's own authority is known to its computers, not to the public list.
    trusted.load_default_certs()
    return trusted


def certificate_trouble(error: BaseException | None, server: str) -> Unavailable | None:
    """Return what is wrong with the certificate or encryption of ``server`` when ``error`` comes from that."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return Unavailable("server-certificate-untrusted", server=server, reason=error.verify_message)
        if isinstance(error, ssl.SSLError):
            return Unavailable("server-without-tls", server=server, reason=error.reason or "TLS")
        error = error.__cause__ or error.__context__
    return None
