"""The training subprocess, which imports torch and ultralytics.

``python -m inspection.detection.training.process RUN`` with the environment of ``quiet_environment``. Events are
written to stdout, one JSON object per line; output of the libraries goes to stderr. The process exits when stdout is
closed.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from inspection.detection.evaluation.measuring import EVALUATION_SETTINGS, MIN_CONFIDENCE
from inspection.detection.training.run_folder import RunFolder, write_json
from inspection.detection.training.run_request import RunRequest
from inspection.detection.training.ultralytics_predict import load, predict
from models.error_values import stored_values
from models.errors import InvalidInput, UserFacingError
from models.storage import make_folder, no_room, not_written, write_atomically

Report = Callable[[dict[str, Any]], None]


def own_stdout() -> TextIO:
    """Return a stream to the current stdout, and redirect all other output to stderr."""
    stream = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return stream


def run(folder: RunFolder, request: RunRequest, images: dict[str, list[str]], report_event: Report) -> None:
    """Train unless already trained, export, and record torch's detections on the validation images.

    Args:
        folder: of the run, with the data set in it.
        request: settings of the run.
        images: ``train`` and ``val`` → paths of the images.
        report_event: called with each event.
    """
    if not folder.trained.exists():
        train(folder, request, {part: len(paths) for part, paths in images.items()}, report_event)
    from inspection.detection.training.export import export_float32, quantise

    report_event({"stage": "export", "done": 0, "total": 1})
    exported = export_float32(folder.best, folder.exported, request.image_size)
    report_event({"stage": "export", "done": 1, "total": 1})
    report_event({"stage": "reference", "done": 0, "total": len(images["val"])})
    model = load(str(folder.best))
    arguments = {
        "conf": MIN_CONFIDENCE,
        "iou": EVALUATION_SETTINGS.iou,
        "max_det": EVALUATION_SETTINGS.max_detections,
        "imgsz": request.image_size,
        # The exported graph has a fixed size; torch gets the same.
        "rect": False,
        "device": "cpu",
    }
    found: list[dict[str, Any]] = []
    for number, image in enumerate(images["val"], start=1):
        found += predict(model, [image], **arguments)
        report_event({"stage": "reference", "done": number, "total": len(images["val"])})
    write_json(folder.exported / "torch.json", found)
    if "int8" in request.precisions:

        def calibrated(done: int, total: int) -> None:
            report_event({"stage": "int8", "done": done, "total": total})

        quantise(exported, folder.exported / "int8", [Path(image) for image in images["train"]], calibrated)


def train(folder: RunFolder, request: RunRequest, counts: dict[str, int], report_event: Report) -> None:
    """Train from random weights, from a given checkpoint, or from the last complete epoch of this run.

    Args:
        folder: of the run.
        request: settings of the run.
        counts: ``train`` and ``val`` → number of images in the data set.
        report_event: called with each event.

    Raises:
        InvalidInput: ``detector-checkpoint-task`` when the checkpoint was made for another task than detection.
    """
    resumes = (folder.kept / "last.pt").exists()
    if resumes:
        for kept in sorted(folder.kept.glob("*.pt")):
            # The only loader of the library that does not execute code in a checkpoint.
            load(str(kept))
            write_atomically(folder.checkpoints / kept.name, kept.read_bytes())
    if folder.ended.exists():
        # Killed after its last epoch: the library refuses to resume a finished training.
        importlib.import_module("ultralytics.utils.torch_utils").strip_optimizer(str(folder.best))
        write_atomically(folder.trained, folder.ended.read_bytes())
        return
    start = str(folder.last) if resumes else request.weights or f"{request.architecture}.yaml"
    model = load(start)
    if model.task != "detect":
        raise InvalidInput("detector-checkpoint-task", file=start, task=model.task, folder=folder.path)
    total_epochs, batches_done = request.epochs, 0
    left_out: dict[str, int] = {}

    def before_training(trainer: Any) -> None:
        found = {"train": len(trainer.train_loader.dataset), "val": len(trainer.test_loader.dataset)}
        left_out.update({part: counts[part] - found[part] for part in found})

    def after_batch(trainer: Any) -> None:
        nonlocal batches_done
        batches_done += 1
        report_event(
            {
                "stage": "train",
                "epoch": trainer.epoch + 1,
                "epochs": total_epochs,
                "batch": batches_done,
                "batches": len(trainer.train_loader),
                "losses": {name: round(float(value), 4) for name, value in (trainer.tloss or {}).items()},
            }
        )

    def before_epoch(_trainer: Any) -> None:
        nonlocal batches_done
        batches_done = 0

    def after_epoch(trainer: Any) -> None:
        make_folder(folder.kept)
        if trainer.best_fitness == trainer.fitness:
            write_atomically(folder.kept / "best.pt", trainer.best.read_bytes())
        write_atomically(folder.kept / "last.pt", trainer.last.read_bytes())
        if trainer.stop:
            epochs = trainer.epoch + 1
            outcome = {"epochs": epochs, "stopped_early": epochs < total_epochs, "left_out": left_out}
            write_json(folder.ended, outcome)
        metrics = {name: float(value) for name, value in trainer.metrics.items()}
        report_event(
            {
                "stage": "epoch",
                "epoch": trainer.epoch + 1,
                "epochs": total_epochs,
                "losses": {name: round(float(value), 4) for name, value in (trainer.tloss or {}).items()},
                "map50": metrics.get("metrics/mAP50(B)", 0.0),
                "map50_95": metrics.get("metrics/mAP50-95(B)", 0.0),
            }
        )

    model.add_callback("on_train_start", before_training)
    model.add_callback("on_train_epoch_start", before_epoch)
    model.add_callback("on_train_batch_end", after_batch)
    model.add_callback("on_model_save", after_epoch)
    arguments: dict[str, Any] = {
        "data": str(folder.data / "data.yaml"),
        "imgsz": request.image_size,
        "batch": request.batch,
        "patience": request.patience or request.epochs,
        "device": "cpu",
        "workers": 0,
        "plots": False,
        "verbose": False,
        "save_dir": str(folder.checkpoints.parent),
    }
    if resumes:
        model.train(resume=True, **arguments)
    else:
        model.train(
            epochs=request.epochs,
            # The library accumulates 64 images per step by default; a few hundred images would give a handful of steps.
            nbs=request.batch,
            seed=request.seed,
            deterministic=True,
            amp=False,
            exist_ok=True,
            **arguments,
        )
    write_atomically(folder.trained, folder.ended.read_bytes())


def main(arguments: list[str]) -> int:
    """Run the training of the folder named by the first argument.

    Returns:
        0 on success; 1 on failure, with the reason in the last line of stdout.
    """
    stream = own_stdout()

    def report_event(event: dict[str, Any]) -> None:
        stream.write(json.dumps(event) + "\n")
        stream.flush()

    folder = RunFolder(Path(arguments[0]))
    request = RunRequest.model_validate_json(folder.request.read_bytes())
    images = json.loads((folder.data / "images.json").read_text(encoding="utf-8"))
    if request.threads:
        importlib.import_module("torch").set_num_threads(request.threads)
    try:
        run(folder, request, images, report_event)
    except BrokenPipeError:
        return 1
    except (UserFacingError, ImportError, MemoryError, OSError, RuntimeError, TypeError, ValueError) as error:
        # Reported to the user in one line; the log has the traceback.
        sys.excepthook(type(error), error, error.__traceback__)
        report_event({"stage": "failed", **failure_of(error, folder)})
        return 1
    return 0


def failure_of(error: Exception, folder: RunFolder) -> dict[str, Any]:
    """Return the fields of a failure event: code and values of a message, else kind and reason."""
    reported = error
    if isinstance(error, OSError) and no_room(error):
        reported = not_written(Path(os.fsdecode(error.filename)) if error.filename else folder.path, error)
    if isinstance(reported, UserFacingError):
        return {"code": reported.code, "values": stored_values(reported.values)}
    return {"kind": type(error).__name__, "reason": " ".join(str(error).split())[:500]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
