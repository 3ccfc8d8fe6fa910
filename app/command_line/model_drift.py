"""``imageflow model drift``: how far a machine's sensors have moved from what their model was trained on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.command_line.options import (
    DecimalOption,
    EncodingOption,
    JsonOption,
    LeaveOutOption,
    MissingOption,
    SkipLinesOption,
    progress_bar,
)
from app.command_line.sensor_columns import assumptions_as_json, rows_of, table_form, warn_assumptions, warn_columns
from app.command_line.tables import table_lines
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from inspection.sensor import SensorDrift, SensorTable


def drift_command(
    model: Annotated[Path, typer.Argument(help="Sensor model, as model.npz.", metavar="MODEL")],
    data: Annotated[Path, typer.Argument(help="CSV file of rows of now; the header is optional.", metavar="FILE")],
    leave_out: LeaveOutOption = None,
    missing: MissingOption = None,
    encoding: EncodingOption = "",
    decimal: DecimalOption = None,
    skip_lines: SkipLinesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report for each sensor how far new rows have moved from those a sensor model was trained on.

    Columns are found by their names, else by their order. A sensor is stable, moved (watch it), or changed (scores mean
    little until the model is trained again); fewer than 50 values are too few to decide. Compare hours, not minutes:
    successive rows of a slow sensor are alike.

    \b
    Examples:
      imageflow model drift pump.npz today.csv
      imageflow model drift pump.npz today.csv --json
      imageflow model drift pump.npz today.csv --missing -999
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import language
    from inspection.sensor import drift_report, load_model, read_table

    form = table_form(encoding, decimal, skip_lines, missing)
    with progress_bar(phrase("reading")):
        loaded = load_model(model)
        table = read_table(data, leave_out or (), form=form)
        report = drift_report(loaded, rows_of(table, loaded.metadata.columns))
    warn_assumptions(table.assumptions)
    warn_columns(table, loaded.metadata.columns)
    if as_json:
        typer.echo(json.dumps(_summary(model, data, table, report), ensure_ascii=False))
        return
    typer.echo("\n".join(_table(report)))
    texts = [found.text(language()) for found in report if found.level != "stable"]
    # Sensors of one level have one advice: given once, after what they differ in.
    for advice in dict.fromkeys(text.advice for text in texts):
        typer.echo("\n".join([*(text.detail for text in texts if text.advice == advice), advice]))


def _summary(model: Path, data: Path, table: SensorTable, report: tuple[SensorDrift, ...]) -> dict[str, object]:
    from app.command_line import language

    return {
        "model": str(model),
        "file": str(data),
        "assumptions": assumptions_as_json(table.assumptions),
        "rows": len(table.values),
        "drifted": [found.column for found in report if found.level in {"moved", "changed"}],
        "sensors": [{**asdict(found), "text": found.text(language()).detail} for found in report],
    }


def _table(report: tuple[SensorDrift, ...]) -> list[str]:
    header = [phrase(f"drift-{column}") for column in ("sensor", "level", "shift", "index", "distance", "values")]
    rows = [
        [
            found.column,
            phrase(f"drift-{found.level}"),
            f"{found.shift:+.2f}",
            f"{found.stability_index:.3f}",
            f"{found.distance:.2f}",
            str(found.rows),
        ]
        for found in report
    ]
    return table_lines(header, rows)
