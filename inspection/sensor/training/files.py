"""The output files of a training: ``model.pth``, ``model.npz``, ``threshold.txt``, ``reconstruction_errors.csv``."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.sensor_model import SensorModel
from inspection.sensor.model_file.archive import load_model, model_bytes
from inspection.sensor.model_file.checkpoint import read_checkpoint, require_torch, write_checkpoint
from inspection.sensor.table.data_warnings import DataWarnings, find_data_warnings
from inspection.sensor.table.form import ANY_FORM, Assumption, TableForm
from inspection.sensor.table.layout import require_known
from inspection.sensor.table.reading import SensorTable, read_table
from inspection.sensor.training.settings import SensorTraining
from inspection.sensor.training.train import TrainingResult, train
from models.errors import Conflict, InvalidInput
from models.storage import make_folder, require_writable, sha256_of, write_atomically

OnStep = Callable[[int, int], None]
_THRESHOLD, _ERRORS = "threshold.txt", "reconstruction_errors.csv"
_MIXED = 5
"""Rows of which more than one in so many steps goes against the others are in no order."""


@dataclass(frozen=True, slots=True)
class SensorFiles:
    """The paths of a model's files and the result of the training.

    Attributes:
        model: ``model.npz``, which the server loads.
        checkpoint: ``model.pth``; None when not requested.
        threshold: ``threshold.txt``.
        errors: ``reconstruction_errors.csv``.
        digest: SHA-256 of ``model.npz``.
        trained: the model and its errors.
        left_out: columns that are not sensors.
        clocks: clocks and counters, left out too.
        assumptions: what was assumed about the data file, and what of it was left out.
        data_warnings: suspicious properties of the rows.
        seconds: duration from reading to the last file.
    """

    model: Path
    checkpoint: Path | None
    threshold: Path
    errors: Path
    digest: str
    trained: TrainingResult
    left_out: tuple[str, ...]
    clocks: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    data_warnings: DataWarnings
    seconds: float


def train_files(
    data: Path | str,
    output: Path | str,
    settings: SensorTraining,
    *,
    leave_out: Sequence[str] = (),
    na_values: Sequence[float] = (),
    form: TableForm = ANY_FORM,
    keep: Sequence[str] = (),
    checkpoint: bool = True,
    further: Path | str | None = None,
    name: str = "",
    on_step: OnStep | None = None,
) -> SensorFiles:
    """Train on a CSV file and write the model's files; nothing is written before the training is complete.

    Args:
        data: CSV file of normal rows.
        output: ``model.pth``; the other files are written beside it.
        settings: of the training.
        leave_out: columns that are not sensors.
        na_values: numbers that represent a missing value.
        form: what is known of the file.
        keep: columns that are sensors though they look like clocks or counters, as those of ``further`` are.
        checkpoint: whether to write ``model.pth``, which requires torch (in a subprocess).
        further: a ``model.pth``, with its ``model.npz`` beside it, whose training continues.
        name: of the data file in messages; empty for that of its path.
        on_step: called with the steps done and the total.

    Raises:
        Conflict: ``sensor-files-of-another``.
        InvalidInput: ``sensor-only-clocks``, ``sensor-column-unknown``.
        InvalidInput, TooLarge, Unavailable: as ``read_table``, ``train``, ``load_model``, ``read_checkpoint`` and
            ``write_checkpoint``.
    """
    began = time.perf_counter()
    output = Path(output)
    model_path = output.with_suffix(".npz")
    checkpoint_path = output if output.suffix.lower() != ".npz" else output.with_suffix(".pth")
    if checkpoint:
        require_torch()
    require_writable(model_path)
    _require_own_files(model_path, output.with_name(_THRESHOLD), Path(further).with_suffix(".npz") if further else None)
    start = _start(Path(further)) if further else None
    table = read_table(data, leave_out, na_values, form, name=name)
    require_known(keep, (*table.columns, *table.left_out))
    data_warnings = find_data_warnings(table)
    wanted = {*keep, *(start.metadata.columns if start else ())}
    clocks = tuple(name for name in data_warnings.counters if name not in wanted)
    if len(clocks) == len(table.columns):
        raise InvalidInput("sensor-only-clocks", columns=", ".join(clocks), name=name or Path(data).name)
    table = table.without(clocks)
    trained = train(
        table.values,
        table.columns,
        settings,
        period_s=usual_period(table.seconds),
        seconds=table.seconds,
        start=start,
        on_step=on_step,
    )
    make_folder(output.parent)
    if checkpoint:
        write_checkpoint(checkpoint_path, trained.model.network)
    return write_files(
        model_path,
        trained,
        table,
        checkpoint=checkpoint_path if checkpoint else None,
        clocks=clocks,
        data_warnings=data_warnings,
        began=began,
    )


def write_files(
    model_path: Path,
    trained: TrainingResult,
    table: SensorTable,
    *,
    checkpoint: Path | None,
    clocks: tuple[str, ...],
    data_warnings: DataWarnings,
    began: float,
) -> SensorFiles:
    """Write a model with its threshold and errors beside it, the model last, and return what was written.

    Args:
        model_path: ``model.npz``.
        trained: the model and its errors.
        table: the rows it was trained on.
        checkpoint: ``model.pth``, written already; None without one.
        clocks: clocks and counters of the data file, left out of the table.
        data_warnings: suspicious properties of the rows.
        began: ``time.perf_counter()`` before the data file was read.
    """
    content = model_bytes(trained.model)
    threshold, errors = (model_path.with_name(name) for name in (_THRESHOLD, _ERRORS))
    write_atomically(errors, errors_csv(table, trained).encode())
    write_atomically(threshold, f"{trained.model.metadata.threshold!r}\n".encode())
    write_atomically(model_path, content)
    return SensorFiles(
        model=model_path,
        checkpoint=checkpoint,
        threshold=threshold,
        errors=errors,
        digest=sha256_of(content),
        trained=trained,
        left_out=table.left_out,
        clocks=clocks,
        assumptions=table.assumptions,
        data_warnings=data_warnings,
        seconds=time.perf_counter() - began,
    )


def _require_own_files(model_path: Path, threshold_path: Path, further: Path | None) -> None:
    """Check that ``threshold.txt`` and ``reconstruction_errors.csv`` do not belong to another model in the folder.

    Their names are the same for every model; the threshold identifies the owner. Files of the model whose training
    continues may be overwritten.
    """
    try:
        threshold = float(threshold_path.read_text("utf-8"))
    except (OSError, ValueError):
        return
    if _threshold_of(model_path) == threshold or (further and _threshold_of(further) == threshold):
        return
    for other in sorted(model_path.parent.glob("*.npz")):
        if other != model_path and _threshold_of(other) == threshold:
            raise Conflict(
                "sensor-files-of-another",
                file=threshold_path.name,
                name=model_path.name,
                other=other.name,
                stem=model_path.stem,
                output=model_path.with_suffix(".pth").name,
            )


def _threshold_of(path: Path) -> float | None:
    """Return the threshold of a model file; None when it cannot be loaded."""
    try:
        return load_model(path).metadata.threshold
    except InvalidInput:
        return None


def usual_period(seconds: NDArray[np.float64] | None) -> float | None:
    """Return the median time between rows, float64 ``(n,)`` or None, in seconds; None without different times.

    A file whose rows go one way is taken as it is, newest first too: logs that follow each other stay apart. A row in a
    wrong place is one step back, with two spoiled ones beside it, so below a fifth of steps back most of the others are
    those of the log. With more the rows are sorted.
    """
    if seconds is None:
        return None
    known = seconds[~np.isnan(seconds)]
    steps = np.diff(known)
    forward, back = steps[steps > 0], -steps[steps < 0]
    main, other = (forward, back) if len(forward) >= len(back) else (back, forward)
    if len(other) > (len(main) + len(other)) / _MIXED:
        main = np.diff(np.unique(known))
    return float(np.median(main)) if len(main) else None


def errors_csv(table: SensorTable, trained: TrainingResult) -> str:
    """Return the errors behind the threshold as CSV: line of the data file, error; empty where undefined."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("line", "error"))
    for line, error in zip(table.lines.tolist(), trained.errors.tolist(), strict=True):
        writer.writerow((line, "" if math.isnan(error) else repr(error)))
    return out.getvalue()


def _start(further: Path) -> SensorModel:
    """Return the model whose training continues: scaling of the ``.npz``, weights of the ``.pth``."""
    model = load_model(further.with_suffix(".npz"))
    network = read_checkpoint(further)
    if network.sizes[0] != model.network.sizes[0] or network.sizes[-1] != model.network.sizes[-1]:
        raise InvalidInput(
            "sensor-checkpoint-fit", name=further.name, given=network.sizes[0], expected=model.network.sizes[0]
        )
    return replace(model, network=network)
