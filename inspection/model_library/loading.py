"""Loading of the models of pipeline steps, of any kind."""

from __future__ import annotations

from pathlib import Path

from inspection.detection.graph.description import GRAPH_SUFFIXES
from inspection.detection.graph.files import files_of_graph
from inspection.detection.model_file.bundle import DETECTION_KINDS
from inspection.imaging.formats import image_format
from inspection.imaging.reading import AS_DECLARED, Reading
from inspection.model_files.archive import archive_kind
from inspection.model_files.step_models import StepModel
from models.errors import InvalidInput, NotFound
from models.storage import is_folder, reason_of

_FIRST_BYTES = 16


def load_model(
    path: Path, threads: int | None = None, *, at_once: int = 1, reading: Reading = AS_DECLARED
) -> StepModel:
    """Load a model file; its content determines the kind.

    Args:
        path: an anomaly bundle, a detector or classifier in any form of ``load_detection_model``, or a reference image.
        threads: number of CPU threads; None takes the setting.
        at_once: images that a detector or classifier works on at the same time, as ``load_detection_model``.
        reading: how a reference image is read.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-of-torch``, ``model-too-new``, ``model-not-readable``, or as
            ``load_detection_model`` and ``read_image``.
    """
    if is_folder(path) or path.suffix.lower() in GRAPH_SUFFIXES or archive_kind(path) in DETECTION_KINDS:
        from inspection.detection.model_file.loading import load_detection_model

        return load_detection_model(path, threads, at_once)
    if image_format(_first_bytes(path)) is not None:
        from inspection.model_files.reference import load_reference

        return load_reference(path, reading)
    from inspection.anomaly import load_bundle

    return load_bundle(path, threads)


def files_of_model(path: Path) -> list[Path]:
    """Return the paths of the files that ``load_model`` loads a model from, existing or not.

    Raises:
        OSError: when a folder cannot be listed.
    """
    return files_of_graph(path) if is_folder(path) or path.suffix.lower() in GRAPH_SUFFIXES else [path]


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FIRST_BYTES)
    except FileNotFoundError as error:
        raise NotFound("model-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("model-not-readable", name=path.name or str(path), reason=reason_of(error)) from error
