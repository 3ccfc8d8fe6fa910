"""Where a local object store has the file of an object."""

from __future__ import annotations

from pathlib import Path


def object_place(sha256: str) -> str:
    """Return where an object lies within the folder of its store."""
    return f"{sha256[:2]}/{sha256}"


def object_file(objects: Path, sha256: str) -> Path:
    """Return the file of an object, whether it is there or not.

    Args:
        objects: folder of the store.
        sha256: digest of the object.
    """
    return objects / object_place(sha256)
