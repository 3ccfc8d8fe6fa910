"""Member names of ZIP archives, without unpacking."""

from __future__ import annotations

import io
import zipfile


def member_names(data: bytes) -> frozenset[str]:
    """Return the member names of an archive; empty when the bytes are not a complete archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return frozenset()
