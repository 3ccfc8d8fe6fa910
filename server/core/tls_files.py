"""The files of a certificate, its key and an authority, checked before anything listens with them."""

from __future__ import annotations

import ssl
from pathlib import Path

from models.errors import InvalidInput
from models.storage import reason_of


def read_tls_file(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        InvalidInput: ``server-tls-files``.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput("server-tls-files", reason=f"{path}: {reason_of(error)}") from error


def require_usable(*, certificate: Path | None, key: Path | None, authority: Path | None = None) -> None:
    """Check that the files are there, are PEM, and that the key is the certificate's; None is not checked.

    Raises:
        InvalidInput: ``server-tls-files``, naming the file.
    """
    for path in (certificate, key, authority):
        if path is not None:
            read_tls_file(path)  # What reads a pair does not say which of the two files is missing.
    tried = authority
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if authority is not None:
            context.load_verify_locations(authority)
        if certificate is not None and key is not None:
            tried = certificate
            # A key that is locked is refused: nobody is there to be asked.
            context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        raise InvalidInput("server-tls-files", reason=f"{tried}: {reason}") from error
