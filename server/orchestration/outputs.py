"""What a run puts out: the picture that the pipeline shows, the heatmap, and the result as JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from inspection.imaging.files import encode_png
from inspection.imaging.heatmaps import heatmap_pixels
from models.states import OutputKind
from models.storage import LONGEST_FILE_NAME, cut_to_bytes, sha256_of
from server.executions.results import NewOutput
from server.objects.store import ObjectStore
from server.orchestration.file_runs import FileOutcome
from server.orchestration.shown import EncodedPicture

PNG, JSON = "image/png", "application/json"
_LONGEST_STEM = LONGEST_FILE_NAME - 40


def keep_outputs(
    objects: ObjectStore, given: FileOutcome, filename: str, stop_if_cancelled: Callable[[], None]
) -> list[NewOutput]:
    """Store what a run gave and return it.

    Args:
        objects: the object store.
        given: of the run.
        filename: of the input; the names of the outputs begin with it.
        stop_if_cancelled: called before anything is stored; raises when the run was stopped.

    Raises:
        Unavailable: ``disk-full`` or ``objects-unreachable``.
    """
    stem = cut_to_bytes(PurePosixPath(filename).stem, _LONGEST_STEM)
    outcome = given.outcome
    contents: dict[str, bytes] = {}
    found = []
    if given.picture is not None:
        found.append(_image(contents, OutputKind.PICTURE, f"{stem}-picture.png", given.picture))
    if outcome.heatmap is not None and outcome.anomaly is not None:
        pixels = heatmap_pixels(outcome.heatmap, outcome.anomaly.threshold)
        heatmap = EncodedPicture(encode_png(pixels, quick=True), width=pixels.shape[1], height=pixels.shape[0])
        found.append(_image(contents, OutputKind.HEATMAP, f"{stem}-heatmap.png", heatmap))
    data = outcome.result.model_dump_json(indent=2).encode()
    found.append(NewOutput(OutputKind.RESULT, f"{stem}-result.json", _added(contents, data), len(data), JSON))
    stop_if_cancelled()
    objects.put_many(contents)
    return found


def _image(contents: dict[str, bytes], kind: OutputKind, filename: str, image: EncodedPicture) -> NewOutput:
    sha256 = _added(contents, image.data)
    return NewOutput(kind, filename, sha256, len(image.data), PNG, image.width, image.height)


def _added(contents: dict[str, bytes], data: bytes) -> str:
    sha256 = sha256_of(data)
    contents[sha256] = data
    return sha256
