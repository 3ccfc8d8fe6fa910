"""What each detail costs on this computer, measured on one of the good images before anything is trained."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from inspection.anomaly.backbone.files import find_backbone
from inspection.anomaly.configuration import Configuration
from inspection.anomaly.detail import DETAILS, DetailName, NetworkArea, network_area
from inspection.anomaly.export.probes import PROBES
from inspection.anomaly.features import FeatureExtractor
from inspection.anomaly.image_graph import ImageGraph
from inspection.anomaly.manifest import Preprocessing
from inspection.anomaly.methods.coreset import greedy_k_center
from inspection.anomaly.methods.registry import Method, find_method
from inspection.anomaly.model import resize_map
from inspection.anomaly.network_input import prepare_picture, shrunk_for
from inspection.anomaly.preparation import PATCH
from inspection.anomaly.preprocessing import NO_PREPROCESSING, ImagePreprocessor
from inspection.anomaly.tiling import common_tile, joined
from inspection.anomaly.training.drawn_scores import MOST_DRAWN
from inspection.anomaly.training.fitting import MOST_PATCHES
from inspection.anomaly.training.manifest_builder import build_preprocessing
from inspection.anomaly.training.parity_check import PARITY_IMAGES, images_to_check
from inspection.anomaly.training.rotation import MOST_COMPARED, rotation_work
from inspection.anomaly.training.settings import TrainingSettings
from inspection.anomaly.training.training_set import TrainingSet, original_size
from inspection.imaging.files import decode_image, image_size, read_image_bytes
from inspection.imaging.frames import Pixels
from inspection.imaging.picture import Picture
from inspection.imaging.reading import Reading
from inspection.imaging.value_range import ValueRange
from inspection.runtime.arrays import FloatArray
from inspection.runtime.cancellation import TrainingCancelled
from models.errors import DoesNotFit, InvalidInput, UnreadableImage

_MOST_HEADERS = 25
_RUNS = 5
_SECONDS = 1.0
"""Beyond this the runs of one detail end early; two are always made."""
# The selection of a memory bank, timed on this many points and centres (fewer measure the constant work of each round
# more than the distances), and its share of a fit.
_PROBE_POINTS, _PROBE_CENTERS, _SELECTION_SHARE = 32768, 2048, 0.5
_PROBE_RUNS, _SELECTION_DIMENSIONS = 3, 64
# Bytes for each pixel of the image: its colours, and its heatmap twice. For each pixel of the network input: its
# colours twice; of one tile: the tensor in its three forms, and the largest two layers of the network.
_IMAGE_BYTES, _INPUT_BYTES, _TILE_BYTES = 11, 6, 36 + 192
_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class DetailEstimate:
    """What one detail costs on this computer.

    Attributes:
        detail: its name; empty for a side given by number.
        side: of the square of the median network input, in network pixels.
        tiles: that a median image is cut into.
        latency_ms: of one image from the file to the heatmap, median of a few.
        memory_mb: about what one image takes beside the program.
        training_s: about how long a training takes.
        smallest_defect: about the side of the smallest defect that is found, in pixels of the image.
    """

    detail: str
    side: int
    tiles: int
    latency_ms: float
    memory_mb: float
    training_s: float
    smallest_defect: int


@dataclass(frozen=True, slots=True)
class ImageCost:
    """What one image takes in a training.

    Attributes:
        pixels: of the image.
        decoding: seconds from its file to its preprocessed pixels.
        scoring: seconds from these to its heatmap.
        scoring_shrunk: the same for the image shrunk to the size that its network input is made from.
    """

    pixels: int
    decoding: float
    scoring: float
    scoring_shrunk: float


def estimate_details(
    paths: Sequence[Path],
    settings: TrainingSettings,
    *,
    preprocessor: ImagePreprocessor = NO_PREPROCESSING,
    details: Sequence[DetailName] = DETAILS,
    cancel: threading.Event | None = None,
) -> tuple[DetailEstimate, ...]:
    """Return what each detail costs; one estimate where the settings give the side by number.

    A detail that the method cannot work at is left out.

    Args:
        paths: images of good parts.
        settings: of the training that would follow.
        preprocessor: applied to each image before scoring.
        details: to measure.
        cancel: event that stops it.

    Raises:
        InvalidInput: ``no-image-usable``, ``anomaly-method-unknown``.
        Unavailable: ``backbone-missing``.
        TrainingCancelled: when ``cancel`` was set.
    """
    path, picture = _median_picture(paths, settings, preprocessor)
    # Decoded again: the first time the libraries for it were loaded.
    began = time.perf_counter()
    preprocessor(_decoded(path, settings))
    decoding = time.perf_counter() - began
    size, given = original_size(picture), (picture.pixels.shape[0], picture.pixels.shape[1])
    configuration = settings.overruled(Configuration())
    method = find_method(settings.method, settings.method_settings(configuration))
    extractor = FeatureExtractor(find_backbone(configuration.backbone), settings.threads)
    selection = _selection_seconds()
    found: list[DetailEstimate] = []
    for detail in details if settings.side is None else details[:1]:
        if cancel is not None and cancel.is_set():
            raise TrainingCancelled
        chosen = settings.model_copy(update={"detail": detail}).seeing(configuration, [given])
        if found and found[-1].side == chosen.side:
            # A small image is seen alike at several details.
            found.append(replace(found[-1], detail=chosen.detail))
            continue
        try:
            area = network_area([size], chosen.side, aligned=method.aligned)
        except DoesNotFit:
            continue
        preprocessing = build_preprocessing(TrainingSet((), (size,), (given,), 0, {}), area, aligned=method.aligned)
        scoring, scoring_shrunk = _latencies(extractor, method, picture, preprocessing, area, settings.threads or None)
        cost = ImageCost(size[0] * size[1], decoding, scoring, scoring_shrunk)
        found.append(
            DetailEstimate(
                detail=chosen.detail,
                side=chosen.side,
                tiles=area.tiles,
                latency_ms=(decoding + scoring) * 1000,
                memory_mb=_memory(picture, area, settings.bank_size) / _MEGABYTE,
                training_s=training_seconds(len(paths), settings, method, area, cost, selection),
                smallest_defect=area.smallest_defect,
            )
        )
    return tuple(found)


def _median_picture(
    paths: Sequence[Path], settings: TrainingSettings, preprocessor: ImagePreprocessor
) -> tuple[Path, Picture]:
    """Return the readable image of the median area among some, and its file."""
    places = sorted({*np.linspace(0, max(len(paths) - 1, 0), _MOST_HEADERS).astype(int).tolist()})
    areas = []
    for path in (paths[place] for place in places if place < len(paths)):
        try:
            header = image_size(read_image_bytes(path), name=path.name)
        except UnreadableImage:
            continue
        areas.append((header.width * header.height, path))
    areas.sort()
    for _, path in areas[len(areas) // 2 :] + areas[: len(areas) // 2]:
        try:
            return path, preprocessor(_decoded(path, settings))
        except (UnreadableImage, DoesNotFit):
            continue
    raise InvalidInput("no-image-usable", folder=str(paths[0].parent) if paths else "")


def _decoded(path: Path, settings: TrainingSettings) -> Pixels:
    reading = Reading(None if settings.value_range is None else ValueRange(*settings.value_range), settings.pages)
    return decode_image(read_image_bytes(path), name=path.name, reading=reading)


def _latencies(
    extractor: FeatureExtractor,
    method: Method,
    picture: Picture,
    preprocessing: Preprocessing,
    area: NetworkArea,
    threads: int | None,
) -> tuple[float, float]:
    """Return the seconds from a decoded image to its heatmap, and those of the image shrunk before."""
    cells = area.height // PATCH * area.width // PATCH
    blank = method.blank(extractor.dimensions, cells)
    model = blank.graph(extractor.graph, smoothed=area.tile == 0)
    graph = ImageGraph(model, common_tile((area.height, area.width), area.tile), threads)

    def infer(tensor: FloatArray) -> FloatArray:
        found: FloatArray = graph.infer(tensor)["map"][0, 0]
        return found

    def score(scored: Picture) -> float:
        began = time.perf_counter()
        prepared = prepare_picture(scored, preprocessing)
        resize_map(joined(prepared, area.tile, infer), prepared, *scored.pixels.shape[:2])
        return time.perf_counter() - began

    def repeated(scored: Picture) -> float:
        runs = [score(scored), score(scored)]
        while len(runs) < _RUNS and sum(runs) < _SECONDS:
            runs.append(score(scored))
        return median(runs)

    # The first run compiles the graph.
    score(picture)
    return repeated(picture), repeated(shrunk_for(picture, preprocessing))


def _memory(picture: Picture, area: NetworkArea, bank_size: int) -> float:
    """Return about how many bytes one image takes."""
    height, width = picture.pixels.shape[:2]
    tile_height, tile_width = common_tile((area.height, area.width), area.tile)
    cells = tile_height // PATCH * (tile_width // PATCH)
    return float(
        height * width * _IMAGE_BYTES
        + area.height * area.width * _INPUT_BYTES
        + tile_height * tile_width * _TILE_BYTES
        + 2 * cells * bank_size * np.dtype(np.float32).itemsize
    )


def training_seconds(
    count: int, settings: TrainingSettings, method: Method, area: NetworkArea, cost: ImageCost, selection: float
) -> float:
    """Return about how many seconds a training takes.

    Each image is decoded for its size, for its features, and for a drawn defect on it, and its features are computed
    for the last two. A model is fitted for each fold, then the final one, which is checked on a few images. Turned
    copies are counted with what they take at most, models that are fitted to compare them too; all copies of an image
    are made from one decoding of it.

    Args:
        count: number of good images.
        settings: of the training.
        method: fits the models.
        area: of the network input of a median image.
        cost: of one image.
        selection: seconds of choosing a memory bank for each pair of a patch and a centre.
    """
    cells = area.height // PATCH * (area.width // PATCH)
    share = min(cells, max(1, MOST_PATCHES // max(count, 1)))
    turning = rotation_work(settings.rotation, method, count)
    compared = min(MOST_COMPARED, count) if turning.comparison else 0
    fits = (min(settings.folds, count) + 1) * count * share + 4 * (compared // 2) * share
    drawn = min(count, MOST_DRAWN)
    checked = min(count, images_to_check(PARITY_IMAGES, cost.pixels))
    decoded = 2 * count + drawn + checked + turning.decoded
    scored = count + 2 * (checked + images_to_check(PROBES, cost.pixels))
    return (
        decoded * cost.decoding
        + scored * cost.scoring
        + (drawn + turning.extracted) * cost.scoring_shrunk
        + fits * settings.bank_size * selection / _SELECTION_SHARE
    )


def _selection_seconds() -> float:
    """Return the seconds that the selection of a memory bank takes for each pair of a patch and a centre."""
    points = np.random.default_rng(0).standard_normal((_PROBE_POINTS, _SELECTION_DIMENSIONS), dtype=np.float32)
    runs = []
    for _ in range(_PROBE_RUNS):
        began = time.perf_counter()
        greedy_k_center(points, _PROBE_CENTERS, 0)
        runs.append(time.perf_counter() - began)
    # The fastest: other work of the computer only adds to a run.
    return min(runs) / (_PROBE_POINTS * _PROBE_CENTERS)
