"""Training of a detector: check the data, train in a subprocess, evaluate every exported file.

This process imports neither torch nor ultralytics, so the evaluation uses the runtime of a station.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspection.detection.data.dataset import DetectionData, read_detection_data
from inspection.detection.data.layout import write_training_layout
from inspection.detection.training.child import run_training_process
from inspection.detection.training.environment import quiet_environment
from inspection.detection.training.finished_models import WrittenModel, write_models
from inspection.detection.training.progress import DetectorProgress, ProgressReporter
from inspection.detection.training.run_folder import RunFolder, create_run, open_run, write_json
from inspection.detection.training.run_request import RunRequest
from models.errors import Conflict, NotFound, UserFacingError
from models.storage import is_file, require_writable


@dataclass(frozen=True, slots=True)
class DetectorReport:
    """The result of a training.

    Attributes:
        folder: of the run, with the checkpoint, the log and this report.
        models: one for each requested precision.
        epochs: number of epochs trained.
        stopped_early: whether early stopping ended the training.
        seconds: duration of this call.
        skipped: path → error of each image left out.
        left_out: number of images that only the training library could not read.
        warnings: warning codes.
    """

    folder: Path
    models: tuple[WrittenModel, ...]
    epochs: int
    stopped_early: bool
    seconds: float
    skipped: dict[str, UserFacingError]
    left_out: int
    warnings: tuple[str, ...]


def train_detector(
    request: RunRequest,
    run: Path,
    on_progress: Callable[[DetectorProgress], None] | None = None,
    cancel: threading.Event | None = None,
) -> DetectorReport:
    """Train a detector and write its model files.

    Args:
        request: settings of the run.
        run: folder of the run: new, empty, or of a finished run.
        on_progress: called in this thread.
        cancel: event that stops the training; ``resume_detector`` continues it later.

    Raises:
        TrainingCancelled: when ``cancel`` was set.
        NotFound: ``file-missing`` for the initial checkpoint.
        NotFound, InvalidInput, UnreadableImage: as ``read_detection_data``.
        Conflict: ``training-run-unfinished``, ``training-run-foreign``, ``training-run-running``.
        DoesNotFit: ``detector-parity``, ``detector-int8-refused`` when no model file could be written.
        Unavailable: as ``run_training_process``; ``file-not-written``, ``file-disk-full``.
    """
    began = time.perf_counter()
    require_writable(Path(request.out))
    require_writable(run / "request.json")
    if request.weights and not is_file(Path(request.weights)):
        raise NotFound("file-missing", file=request.weights)
    progress = ProgressReporter(on_progress, cancel)
    data = read_detection_data(Path(request.data), progress.counted("reading"))
    with create_run(run, request.model_copy(update={"data_digest": data.digest})) as (folder, lock):
        return _carry_out(folder, request, data, progress, began, lock)


def resume_detector(
    run: Path,
    on_progress: Callable[[DetectorProgress], None] | None = None,
    cancel: threading.Event | None = None,
) -> DetectorReport:
    """Continue an interrupted training from its last complete epoch.

    Raises:
        NotFound: ``training-run-missing``.
        InvalidInput: ``training-run-damaged``.
        Conflict: ``training-run-done``, ``training-run-running``, ``training-data-changed`` when images or labels
            changed since the start of the run.
        TrainingCancelled, NotFound, InvalidInput, DoesNotFit, Unavailable: as ``train_detector``.
    """
    began = time.perf_counter()
    with open_run(run) as (folder, request, lock):
        require_writable(Path(request.out))
        progress = ProgressReporter(on_progress, cancel)
        data = read_detection_data(Path(request.data), progress.counted("reading"))
        if data.digest != request.data_digest:
            raise Conflict("training-data-changed", file=request.data)
        return _carry_out(folder, request, data, progress, began, lock)


def _carry_out(
    folder: RunFolder, request: RunRequest, data: DetectionData, progress: ProgressReporter, began: float, lock: int
) -> DetectorReport:
    write_training_layout(data, folder.data)
    images = {
        "train": [str(file.image.resolve()) for file in data.train],
        "val": [str(file.image.resolve()) for file in data.val],
    }
    write_json(folder.data / "images.json", images)
    # Absolute, because the subprocess runs in another folder and would download a font it does not find.
    environment = quiet_environment(folder.library.resolve(), request.threads or None)
    run_training_process(folder.path.resolve(), environment, folder.log, progress.event, lock, progress.cancel)
    trained = json.loads(folder.trained.read_text(encoding="utf-8"))
    models = write_models(folder, request, data, trained, progress)
    warnings = tuple(dict.fromkeys(code for model in models for code in model.manifest.warnings))
    report = DetectorReport(
        folder=folder.path,
        models=models,
        epochs=trained["epochs"],
        stopped_early=trained["stopped_early"],
        seconds=time.perf_counter() - began,
        skipped=data.skipped,
        left_out=sum(trained.get("left_out", {}).values()),
        warnings=warnings,
    )
    write_json(folder.report, report_as_json(report))
    folder.tidy()
    return report


def report_as_json(report: DetectorReport) -> dict[str, Any]:
    """Return a report as JSON values."""
    first = report.models[0].manifest
    return {
        "run": str(report.folder),
        "epochs": report.epochs,
        "stopped_early": report.stopped_early,
        "seconds": report.seconds,
        "map50": first.map50,
        "map50_95": first.map50_95,
        "classes": {name: value.model_dump(mode="json") for name, value in first.classes.items()},
        "models": [
            {
                "precision": model.precision,
                "model": None if model.path is None else str(model.path),
                "digest": model.digest,
                "refused": None if model.refused is None else model.refused.code,
                "inference": list(model.manifest.inference),
                "map50": model.manifest.map50,
                "map50_95": model.manifest.map50_95,
                "parity": {way: found.model_dump(mode="json") for way, found in model.manifest.parity.items()},
            }
            for model in report.models
        ],
        "warnings": list(report.warnings),
        "left_out": report.left_out,
        "skipped": {path: error.code for path, error in report.skipped.items()},
    }
