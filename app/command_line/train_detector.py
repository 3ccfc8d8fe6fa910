"""``imageflow train detector``: a detector from one's own labelled images."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.command_line.options import JsonOption, NameOption, progress_bar, require_new_file, warn_skipped
from app.command_line.tables import table_lines
from app.command_line.wording import phrase
from models.names import is_plain_text

if TYPE_CHECKING:
    from inspection.detection.training.progress import DetectorProgress
    from inspection.detection.training.run_request import RunRequest

_ARCHITECTURE = re.compile(r"yolo(11|26)[nsmlx]")
_PRECISIONS = ("fp32", "int8")
_STRIDE = 32
_WITH_RESUME = {"resume", "as_json"}


def train_detector_command(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option("--data", help="data.yaml: train, val and names, with YOLO labels.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "--output", help="Model file to write.")] = None,
    model: Annotated[
        str, typer.Option("--model", help="yolo11n to yolo11x, yolo26n to yolo26x, or a .pt checkpoint to begin with.")
    ] = "yolo11n",
    name: NameOption = "",
    epochs: Annotated[int, typer.Option("--epochs", min=1, max=10_000, help="Rounds through the images.")] = 100,
    imgsz: Annotated[
        int, typer.Option("--imgsz", min=32, max=4096, help="Side of the network's input, a multiple of 32.")
    ] = 640,
    batch: Annotated[int, typer.Option("--batch", min=1, max=1024, help="Images a step.")] = 16,
    patience: Annotated[
        int, typer.Option("--patience", min=0, max=10_000, help="Epochs without gain before it stops; 0: never.")
    ] = 30,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, help="Of every random choice.")] = 0,
    precision: Annotated[
        str, typer.Option("--precision", help="Files to make: fp32, int8 or both.", metavar="LIST")
    ] = "fp32,int8",
    threads: Annotated[int, typer.Option("--threads", min=0, max=256, help="Processor threads; 0: all.")] = 0,
    run: Annotated[
        Path | None, typer.Option("--run", help="Folder for checkpoints and log; else FILE.training beside the model.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", help="Go on with the training in this folder.", metavar="RUN")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train a detector (YOLO11, YOLO26) offline, from random weights or a checkpoint, and export it for the station.

    Writes a float32 file and beside it FILE.int8.model, each only if it finds what the training found; the report
    reports how well. A stopped training continues with --resume from its last complete epoch.

    \b
    Examples:
      imageflow train detector --data data.yaml --out d.model
      imageflow train detector --data data.yaml --out d.model --imgsz 320
      imageflow train detector --resume d.training
    """  # noqa: D301 - \b keeps the lines as they are
    if resume is not None:
        _require_alone(context)
    folder, request = _request(data, out, run, resume)
    if request is not None:
        chosen = _precisions(precision)
        architecture, weights = _start(model)
        if imgsz % _STRIDE:
            raise typer.BadParameter(f"is a multiple of {_STRIDE}", param_hint="--imgsz")
        request |= {
            "architecture": architecture,
            "weights": weights,
            "name": name,
            "epochs": epochs,
            "image_size": imgsz,
            "batch": batch,
            "patience": patience,
            "precisions": chosen,
            "seed": seed,
            "threads": threads,
        }
    from app.command_line import language, report_error, warn
    from inspection.detection.training.run_request import RunRequest
    from inspection.detection.training.train import report_as_json, resume_detector, train_detector
    from models.storage import is_folder

    wanted: RunRequest | None = None if request is None else RunRequest.model_validate(request)
    if wanted is not None:
        _require_places(wanted, folder)
    try:
        with progress_bar(phrase("training")) as advance:

            def show(progress: DetectorProgress) -> None:
                line = _line(progress)
                advance(line, progress.fraction)
                if progress.epoch_ended and not sys.stderr.isatty():
                    typer.echo(line, err=True)

            report = resume_detector(folder, show) if wanted is None else train_detector(wanted, folder, show)
    except KeyboardInterrupt:
        if is_folder(folder):
            warn("detector-training-stopped", folder=shlex.quote(str(folder)))
        raise
    warn_skipped({file: error.text(language()).detail for file, error in report.skipped.items()})
    complete = not report.skipped and not report.left_out
    if report.left_out:
        warn("detector-images-left-out", count=report.left_out, log=folder / "training.log")
    if "finds-nothing" in report.warnings:
        warn("detector-finds-nothing")
    if "measured-on-training" in report.warnings:
        warn("detector-measured-on-training")
    for written in report.models:
        if written.refused is not None:
            report_error(written.refused)
    found = report_as_json(report)
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(result_lines(found)))
    if not complete:
        raise typer.Exit(1)


def _request(
    data: Path | None, out: Path | None, run: Path | None, resume: Path | None
) -> tuple[Path, dict[str, Any] | None]:
    """Return the folder of the run and the request; None when the run is resumed."""
    if resume is not None:
        return resume, None
    if data is None or out is None:
        raise typer.BadParameter("give --data and --out, or --resume", param_hint="--data")
    folder = run or out.with_name(f"{out.stem}.training")
    record = {"data": _text(data, "--data"), "out": _text(out, "--out")}
    _text(folder, "--run")
    return folder, record


def _require_places(wanted: RunRequest, folder: Path) -> None:
    """Refuse what would write over the input, or over the folder of the training itself."""
    out, *beside = (wanted.model_file(precision) for precision in wanted.precisions)
    read = [Path(wanted.data), *([Path(wanted.weights)] if wanted.weights else [])]
    require_new_file(out, read, beside=beside)
    if folder.resolve() in {out, *beside}:
        raise typer.BadParameter("names the folder of the training; choose another ending", param_hint="--out")


def _require_alone(context: typer.Context) -> None:
    """Reject options that a resumed training would ignore: it keeps those it was started with."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if name not in _WITH_RESUME and source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter("goes alone: the folder knows what was asked for", param_hint="--resume")


def _text(path: Path, option: str) -> str:
    """Return a whole path as the text that the run's record can hold."""
    whole = str(path.resolve())
    if not is_plain_text(whole):
        raise typer.BadParameter("holds a name that is no text", param_hint=option)
    return whole


def _precisions(text: str) -> tuple[str, ...]:
    given = [part.strip() for part in text.split(",")]
    if not set(given) <= set(_PRECISIONS):
        raise typer.BadParameter(f"is a list of {', '.join(_PRECISIONS)}", param_hint="--precision")
    return tuple(precision for precision in _PRECISIONS if precision in given)


def _start(model: str) -> tuple[str, str]:
    """Return the architecture and the checkpoint that ``--model`` names."""
    if _ARCHITECTURE.fullmatch(model):
        return model, ""
    if not model.endswith(".pt"):
        raise typer.BadParameter("is yolo11n, yolo11s… yolo26x or a .pt file", param_hint="--model")
    return "yolo11n", _text(Path(model), "--model")


def _line(progress: DetectorProgress) -> str:
    if progress.stage != "train":
        return phrase(f"detector-{progress.stage}", done=f"{progress.done:.0f}", total=progress.total)
    epoch = min(int(progress.done) + (0 if progress.epoch_ended else 1), progress.total)
    losses = " ".join(f"{name.removesuffix('_loss')} {value:.3f}" for name, value in progress.losses.items())
    quality = "" if progress.map50 is None else f"  mAP50 {progress.map50:.3f}"
    return phrase("detector-epoch", epoch=epoch, total=progress.total, losses=losses) + quality


def result_lines(found: dict[str, Any]) -> list[str]:
    """Return what a training gave as lines for people, from the values of ``report_as_json``."""
    rows = {name: (value["boxes"], value["map50"], value["map50_95"]) for name, value in found["classes"].items()}
    rows[phrase("detector-all")] = (sum(value[0] for value in rows.values()), found["map50"], found["map50_95"])
    lines = table_lines(
        [phrase("detector-class"), phrase("detector-boxes"), "mAP50", "mAP50-95"],
        [[name, str(boxes), _plain(at_50), _plain(at_50_to_95)] for name, (boxes, at_50, at_50_to_95) in rows.items()],
    )
    ended = "detector-stopped-early" if found["stopped_early"] else "detector-done"
    lines.append(phrase(ended, epochs=found["epochs"], seconds=f"{found['seconds']:.0f}", run=found["run"]))
    # Two empty results agree, but prove nothing.
    compared = "finds-nothing" not in found["warnings"]
    lines += [_file_line(model, compared=compared) for model in found["models"] if model["model"] is not None]
    return lines


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _file_line(model: dict[str, Any], *, compared: bool) -> str:
    """Return a written file, and how well it agrees with what it was made from."""
    made = phrase(
        "detector-file", model=model["model"], precision=model["precision"], inference=model["inference"][0]
    )  # fmt: skip
    if not compared:
        return made
    parity = "; ".join(
        phrase(
            "detector-parity",
            way=way,
            reference=value["reference"],
            matched=f"{value['matched']:.1%}",
            boxes=value["boxes"],
            iou=f"{value['worst_iou']:.3f}",
            confidence=f"{value['worst_confidence']:.1e}",
            map50=f"{0.0 - value['map50_drop']:+.3f}",
            map50_95=f"{0.0 - value['map50_95_drop']:+.3f}",
        )
        for way, value in model["parity"].items()
    )
    return f"{made}: {parity}"
