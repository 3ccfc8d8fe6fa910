"""``imageflow train sensor``: a sensor anomaly model from a table of normal rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.command_line.options import (
    DecimalOption,
    EncodingOption,
    JsonOption,
    LeaveOutOption,
    MissingOption,
    NameOption,
    SkipLinesOption,
    progress_bar,
    report_when_stopped,
)
from app.command_line.sensor_columns import assumptions_as_json, table_form, warn_assumptions
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from inspection.sensor import SensorFiles, SensorTraining
    from inspection.sensor.model.metadata import SensorMetadata

# The bounds of the settings, which are imported only when there is something to train.
_LARGEST_SEED = 2**63 - 1
_LEAST_PERCENT, _MOST_PERCENT = 95.0, 99.0
_MOST_UNITS = 4096
_MAX_LAYERS = 8
_MOST_WINDOW = 1000
_NAMED = 40


def _hidden(text: str) -> tuple[int, ...]:
    """Return the sizes in ``16,4``."""
    if not text.strip():
        return ()
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > _MAX_LAYERS or not all(part.isdecimal() and 0 < int(part) <= _MOST_UNITS for part in parts):
        raise typer.BadParameter(
            f"give {_MAX_LAYERS} sizes at most from 1 to {_MOST_UNITS}, as in 16,4", param_hint="--hidden"
        )
    return tuple(int(part) for part in parts)


def _threshold(text: str) -> tuple[float | None, bool]:
    """Return the percentile, and whether an extreme-value tail is asked for, in ``95`` … ``99`` or ``auto``."""
    if not text:
        return None, False
    if text.strip().lower() == "auto":
        return None, True
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = 0.0
    if not _LEAST_PERCENT <= percent <= _MOST_PERCENT:
        raise typer.BadParameter("lies between 95 and 99, or is auto", param_hint="--threshold")
    return percent, False


def _window(text: str) -> int:
    """Return the rows of a window in ``auto`` or a number; 0 for the former."""
    if text.strip().lower() == "auto":
        return 0
    if not text.strip().isdecimal() or not 1 <= int(text) <= _MOST_WINDOW:
        raise typer.BadParameter(f"is auto, or a number from 1 to {_MOST_WINDOW}", param_hint="--window")
    return int(text)


def train_sensor_command(
    data: Annotated[Path, typer.Option("--data", help="CSV file of normal rows; the header is optional.")],
    output: Annotated[
        Path, typer.Option("--output", "--out", help="model.pth to write; model.npz and others lie beside it.")
    ],
    window: Annotated[
        str,
        typer.Option(
            "--window",
            help="auto: from the rows, which are a series where they follow each other in time. Else the rows of a "
            "window, or 1 to judge each row alone.",
        ),
    ] = "auto",
    hidden: Annotated[
        str, typer.Option("--hidden", help="Layer sizes down to the bottleneck, as 16,4; else from the data.")
    ] = "",
    threshold: Annotated[
        str,
        typer.Option(
            "--threshold",
            help="Percentile of the errors, 95 to 99, or auto; else by the false alarms of a series, 95 for rows, "
            "99 for windows.",
        ),
    ] = "",
    false_alarms: Annotated[
        float | None,
        typer.Option(
            "--false-alarms-per-week",
            min=1e-6,
            max=10_000,
            help="The most false alarms a week, of a series; else 0.05, one in twenty weeks.",
        ),
    ] = None,
    scaling: Annotated[
        str, typer.Option("--scaling", help="standard or robust; --continue keeps its own.")
    ] = "standard",
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, max=100_000, help="Passes over the rows; else from their number.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=_LARGEST_SEED, help="Same rows and seed, same file.")] = 0,
    leave_out: LeaveOutOption = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep", help="Column that is a sensor though it changes like a clock or counter; may be given again."
        ),
    ] = None,
    missing: MissingOption = None,
    encoding: EncodingOption = "",
    decimal: DecimalOption = None,
    skip_lines: SkipLinesOption = None,
    further: Annotated[
        Path | None, typer.Option("--continue", help="model.pth, its model.npz beside it, to train further.")
    ] = None,
    name: NameOption = "",
    checkpoint: Annotated[
        bool, typer.Option("--checkpoint/--no-checkpoint", help="Write model.pth, which takes torch.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Train a sensor anomaly model from a table of normal rows.

    Writes model.pth (a torch state_dict, for further training) and beside it model.npz (what scoring loads),
    threshold.txt and reconstruction_errors.csv.

    \b
    Examples:
      imageflow train sensor --data data.csv --output model.pth
      imageflow train sensor --data t.csv --out t.pth --false-alarms-per-week 0.2
      imageflow train sensor --data pump.csv --output pump.pth --window 5
      imageflow train sensor --data data.csv --output model.pth --threshold auto
      imageflow train sensor --data data.csv --output model.pth \\
          --missing -999 --missing Bad --leave-out label
      imageflow train sensor --data new.csv --output next.pth --continue model.pth
    """  # noqa: D301 - \b keeps the lines as they are
    _require_one_meaning(
        keep, leave_out, threshold=threshold, false_alarms=false_alarms, hidden=hidden, window=window, further=further
    )
    form = table_form(encoding, decimal, skip_lines, missing)
    settings = _settings(
        name=name,
        window=window,
        hidden=hidden,
        threshold=threshold,
        false_alarms=false_alarms,
        scaling=scaling,
        epochs=epochs,
        seed=seed,
    )
    _require_model_file(output)
    from inspection.sensor import train_files

    with report_when_stopped(output.with_suffix(".npz")), progress_bar(phrase("training")) as advance:
        made = train_files(
            data,
            output,
            settings,
            leave_out=leave_out or (),
            form=form,
            keep=keep or (),
            checkpoint=checkpoint,
            further=further,
            on_step=lambda done, total: advance(phrase("sensor-training-step", done=done, total=total), done / total),
        )
    _warn_about_columns(made)
    typer.echo(json.dumps(_summary(made), ensure_ascii=False) if as_json else _line(made))


def _require_one_meaning(
    keep: list[str] | None,
    leave_out: list[str] | None,
    *,
    threshold: str,
    false_alarms: float | None,
    hidden: str,
    window: str,
    further: Path | None,
) -> None:
    """Refuse options that contradict each other."""
    both = sorted({*(keep or ())} & {*(leave_out or ())})
    if both:
        raise typer.BadParameter(f"{both[0]} is left out too, by --leave-out", param_hint="--keep")
    if false_alarms is not None and threshold:
        raise typer.BadParameter("decides instead of --threshold; give one", param_hint="--false-alarms-per-week")
    if false_alarms is not None and (_window(window) or further is not None):
        raise typer.BadParameter(
            "is of a series; it goes without --window and --continue", param_hint="--false-alarms-per-week"
        )
    if further is not None and hidden.strip():
        raise typer.BadParameter("with --continue the layers are those of the model", param_hint="--hidden")


def _require_model_file(output: Path) -> None:
    """Refuse a folder, and a name that may be that of the data."""
    from models.storage import is_folder

    if is_folder(output):
        raise typer.BadParameter(f"{output} is a folder; name a file", param_hint="--output")
    if output.suffix.lower() not in {".pth", ".pt", ".npz"}:
        raise typer.BadParameter(f"{output} ends in something else than .pth", param_hint="--output")


def _settings(
    *,
    name: str,
    window: str,
    hidden: str,
    threshold: str,
    false_alarms: float | None,
    scaling: str,
    epochs: int | None,
    seed: int,
) -> SensorTraining:
    """Return the settings of the training, from the texts of the options."""
    if scaling not in {"standard", "robust"}:
        raise typer.BadParameter("is standard or robust", param_hint="--scaling")
    percent, tail = _threshold(threshold)
    from inspection.sensor import SensorTraining

    return SensorTraining.model_validate(
        {
            "name": name,
            "window": _window(window),
            "hidden": _hidden(hidden),
            "percent": percent,
            "auto_threshold": tail,
            "false_alarms_per_week": false_alarms,
            "scaling": scaling,
            "epochs": epochs,
            "seed": seed,
        }
    )


def _warn_about_columns(made: SensorFiles) -> None:
    from app.command_line import language, warn
    from inspection.sensor import findings_of
    from models.messages import error_text

    columns = made.trained.model.metadata.columns
    listed = ", ".join(columns[:_NAMED]) + (f", … ({len(columns)})" if len(columns) > _NAMED else "")
    warn_assumptions(made.assumptions)
    typer.echo(error_text("sensor-learned", {"columns": listed}, language()).detail, err=True)
    for found in findings_of(made):
        warn(found.code, **found.values)


def _summary(made: SensorFiles) -> dict[str, object]:
    from inspection.sensor import rows_not_learned

    metadata = made.trained.model.metadata
    return {
        "model": str(made.model),
        "checkpoint": None if made.checkpoint is None else str(made.checkpoint),
        "threshold_file": str(made.threshold),
        "errors_file": str(made.errors),
        "digest": made.digest,
        "columns": list(metadata.columns),
        "left_out": list(made.left_out),
        "constant": list(made.trained.constant),
        "assumptions": assumptions_as_json(made.assumptions),
        "not_learned": rows_not_learned(made),
        "nearly_constant": list(made.trained.nearly_constant),
        "lone_values": [[lone.column, lone.count, lone.farthest] for lone in made.trained.lone],
        "na_values": [[found.column, found.value, found.rows] for found in made.data_warnings.na_values],
        "counters": list(made.clocks),
        "labels": list(made.data_warnings.labels),
        "mostly_missing": [list(found) for found in made.data_warnings.mostly_missing],
        "backward": made.data_warnings.backward,
        "unused_settings": list(made.trained.unused),
        "input_dimension": len(metadata.columns),
        "window": metadata.window,
        "series": None if metadata.series is None else _series(metadata),
        "layers": list(made.trained.model.network.sizes),
        "rows": metadata.rows,
        "missing": metadata.missing,
        "epochs": metadata.epochs,
        "threshold": metadata.threshold,
        "threshold_method": metadata.threshold_method,
        "threshold_percent": metadata.threshold_percent,
        "false_alarm_rate": metadata.threshold_rate,
        "seconds": made.seconds,
    }


def _series(metadata: SensorMetadata) -> dict[str, object]:
    series = metadata.series
    if series is None:
        raise ValueError("no model of a series")
    return {
        "spans": list(series.spans),
        "cycles": [period for period, _ in series.cycles],
        "period_s": metadata.period_s,
        "follow": series.follow,
        "held": series.held,
        "false_alarms_per_week": series.false_alarms_per_week,
        "hold_off": metadata.hold_off,
        "rows_used": series.rows_used,
        "stops": series.stops,
        "longest_stop": series.longest_stop,
    }


def _line(made: SensorFiles) -> str:
    metadata = made.trained.model.metadata
    return phrase(
        "sensor-training-done",
        file=made.checkpoint or made.model,
        rows=_rows(metadata),
        sensors=len(metadata.columns),
        layers="-".join(str(size) for size in made.trained.model.network.sizes),
        threshold=f"{metadata.threshold:.4g}",
        method=_threshold_method(metadata),
        seconds=f"{made.seconds:.1f}",
        model=made.model,
    )


def _rows(metadata: SensorMetadata) -> str:
    if metadata.series is not None:
        spans = ", ".join(str(span) for span in metadata.series.spans)
        return phrase("sensor-rows-series", rows=metadata.rows, spans=spans)
    if metadata.window == 1:
        return phrase("sensor-rows", rows=metadata.rows)
    return phrase("sensor-rows-windows", rows=metadata.rows, window=metadata.window)


def _threshold_method(metadata: SensorMetadata) -> str:
    weekly = None if metadata.series is None else metadata.series.false_alarms_per_week
    if weekly is not None:
        return phrase("sensor-threshold-weekly", rate=f"{weekly:.2g}")
    if metadata.threshold_percent is not None:
        return phrase("sensor-threshold-percent", percent=f"{metadata.threshold_percent:g}")
    return phrase("sensor-threshold-tail", rate=f"{metadata.threshold_rate:.1%}")
