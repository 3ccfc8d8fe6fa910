"""What the bytes of a ZIP archive hold, by name; nothing in it is unpacked."""

from __future__ import annotations

import io
import zipfile


def member_names(data: bytes) -> frozenset[str]:
    """Return the names of the members of an archive; none where these bytes are no whole archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return frozenset()
