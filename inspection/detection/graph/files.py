"""The files that a graph is loaded from."""

from __future__ import annotations

from pathlib import Path

from inspection.detection.graph.metadata import metadata_files
from models.storage import is_folder


def files_of_graph(path: Path) -> list[Path]:
    """Return the paths of a graph, its weights and its metadata, existing or not; of a folder all in it, by name.

    Raises:
        OSError: when the folder cannot be listed.
    """
    if is_folder(path):
        return sorted(path.iterdir())
    return [path, path.with_suffix(".bin"), *metadata_files(path)]
