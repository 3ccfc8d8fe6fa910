"""``imageflow model score``: which rows of a table of sensor values a model finds unusual, and by which sensors."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
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
    require_new_file,
)
from app.command_line.sensor_columns import assumptions_as_json, rows_of, table_form, warn_assumptions, warn_columns
from app.command_line.tables import table_lines
from app.command_line.wording import phrase
from models.spreadsheets import cell_text

if TYPE_CHECKING:
    from inspection.sensor import Episode, RowScores, SensorModel, SensorTable

_SHOWN = 10
_SENSORS = 3
_DAY_S = 86_400


def score_command(
    model: Annotated[Path, typer.Argument(help="Sensor model, as model.npz.", metavar="MODEL")],
    data: Annotated[Path, typer.Argument(help="CSV file of rows; the header is optional.", metavar="FILE")],
    leave_out: LeaveOutOption = None,
    missing: MissingOption = None,
    encoding: EncodingOption = "",
    decimal: DecimalOption = None,
    skip_lines: SkipLinesOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "--output", help="CSV file to write: every row with its score and sensors.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Score rows of sensor values: how unusual each is, whether that is an alarm, and which sensors make it so.

    Columns are found by their names, else by their order. A row is an alarm when its score lies above the threshold;
    a row that misses more than half of its values is not judged, nor is a table shorter than the window of the model;
    the exit code is then 1. It is 0 whether there are alarms or not. Times are those of the file, in UTC where it names
    a zone.

    \b
    Examples:
      imageflow model score pump.npz today.csv
      imageflow model score pump.npz today.csv --out scores.csv
      imageflow model score pump.npz today.csv --json
      imageflow model score pump.npz today.csv --missing -999 --leave-out label
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import warn
    from inspection.sensor import episodes_of, load_model, read_table, score_rows
    from inspection.sensor.table.data_warnings import rows_going_back
    from models.storage import make_folder, require_writable, write_atomically

    if out is not None:
        require_new_file(out, [model, data])
        require_writable(out)
    form = table_form(encoding, decimal, skip_lines, missing)
    with progress_bar(phrase("reading")) as advance:
        loaded = load_model(model)
        table = read_table(data, leave_out or (), form=form)
        advance(phrase("scoring"), 0.5)
        scored = score_rows(loaded, rows_of(table, loaded.metadata.columns), table.seconds)
    warn_assumptions(table.assumptions)
    warn_columns(table, loaded.metadata.columns)
    backward = rows_going_back(table.seconds)
    if backward and loaded.metadata.window > 1:
        warn("sensor-time-backward", rows=backward)
    if out is not None:
        make_folder(out.parent)
        write_atomically(out, _csv(table, scored).encode())
        warn("scores-written", file=out)
    episodes = episodes_of(scored, loaded.metadata.hold_off)
    if as_json:
        summary = {**_summary(table, scored), "hold_off": loaded.metadata.hold_off}
        summary["episodes"] = [_episode(table, one) for one in episodes]
        _print_json({"model": str(model), "file": str(data), **summary}, table, scored)
    else:
        typer.echo("\n".join(_lines(loaded, table, scored, episodes)))
    if scored.not_judged:
        raise typer.Exit(1)


def _summary(table: SensorTable, scored: RowScores) -> dict[str, object]:
    alarms = scored.alarms.nonzero()[0]
    return {
        "assumptions": assumptions_as_json(table.assumptions),
        "rows": len(scored.scores),
        "not_judged": scored.not_judged,
        "filling": scored.filling,
        "threshold": scored.threshold,
        "alarms": len(alarms),
        "first_alarm": _row(table, scored, int(alarms[0])) if len(alarms) else None,
    }


def _row(table: SensorTable, scored: RowScores, row: int) -> dict[str, object]:
    score = float(scored.scores[row])
    judged = not math.isnan(score)
    return {
        "line": int(table.lines[row]),
        "time": _time(table, row),
        "score": score if judged else None,
        "threshold": scored.threshold,
        "alarm": bool(scored.alarms[row]) if judged else None,
        "sensors": [{"column": name, "share": share} for name, share in scored.leading(row, _SENSORS)],
    }


def _episode(table: SensorTable, episode: Episode) -> dict[str, object]:
    rows = {"start": episode.start, "end": episode.end, "peak": episode.peak}
    return {
        **{f"{name}_line": int(table.lines[row]) for name, row in rows.items()},
        **{name: _time(table, row) for name, row in rows.items()},
        "score": episode.score,
        "alarms": episode.alarms,
        "open": episode.open,
        "sensors": [{"column": name, "share": share} for name, share in episode.sensors],
    }


def _print_json(summary: dict[str, object], table: SensorTable, scored: RowScores) -> None:
    """Print row by row: two million rows as one object would take gigabytes."""
    sys.stdout.write(json.dumps(summary, ensure_ascii=False)[:-1] + ', "scores": [')
    for row in range(len(scored.scores)):
        sys.stdout.write((", " if row else "") + json.dumps(_row(table, scored, row), ensure_ascii=False))
    sys.stdout.write("]}\n")


def _csv(table: SensorTable, scored: RowScores) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    places = range(1, min(_SENSORS, len(scored.columns)) + 1)
    names = [name for place in places for name in (f"sensor_{place}", f"share_{place}")]
    writer.writerow(["line", "time", "score", "threshold", "alarm", *names])
    for row, score in enumerate(scored.scores.tolist()):
        leading = [
            cell for name, share in scored.leading(row, len(places)) for cell in (cell_text(name), f"{share:.4f}")
        ]
        judged = ("", "", "") if math.isnan(score) else (repr(score), repr(scored.threshold), int(scored.alarms[row]))
        padding = [""] * (len(names) - len(leading))
        writer.writerow([int(table.lines[row]), _time(table, row) or "", *judged, *leading, *padding])
    return written.getvalue()


def _lines(model: SensorModel, table: SensorTable, scored: RowScores, episodes: tuple[Episode, ...]) -> Iterator[str]:
    alarms = scored.alarms.nonzero()[0].tolist()
    rows, window = len(scored.scores), model.metadata.window
    found = {"alarms": len(alarms), "share": f"{len(alarms) / rows:.1%}", "threshold": f"{scored.threshold:.4g}"}
    yield phrase("score-rows", rows=rows, **found)
    if scored.filling and scored.filling == rows:
        yield phrase("score-window-only", window=window, rows=rows)
        return
    if scored.not_judged:
        yield phrase("score-not-judged", rows=scored.not_judged)
    if scored.filling:
        yield phrase("score-filling", window=window, rows=scored.filling)
    if not alarms:
        return
    if model.needs_order:
        yield from _episode_lines(table, episodes, model.metadata.hold_off)
        return
    yield from table_lines(
        _header("line", "time", "score", "sensors"),
        [
            [
                str(int(table.lines[row])),
                _time(table, row) or "",
                f"{scored.scores[row]:.4g}",
                _leading(scored.leading(row, _SENSORS)),
            ]
            for row in alarms[:_SHOWN]
        ],
    )
    if len(alarms) > _SHOWN:
        yield phrase("score-more-alarms", count=len(alarms) - _SHOWN)


def _episode_lines(table: SensorTable, episodes: tuple[Episode, ...], hold_off: int) -> Iterator[str]:
    yield phrase("score-episodes", count=len(episodes), hold_off=hold_off)
    yield from table_lines(
        _header("start", "end", "alarms", "highest", "sensors"),
        [
            [
                _place(table, one.start),
                _place(table, one.end),
                str(one.alarms),
                f"{one.score:.4g}",
                _leading(one.sensors),
            ]
            for one in episodes[:_SHOWN]
        ],
    )
    if len(episodes) > _SHOWN:
        yield phrase("score-more-episodes", count=len(episodes) - _SHOWN)


def _header(*columns: str) -> list[str]:
    return [phrase(f"score-{column}") for column in columns]


def _leading(sensors: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in sensors)


def _place(table: SensorTable, row: int) -> str:
    """Return the line of a row, with its time where it has one."""
    time, line = _time(table, row), int(table.lines[row])
    return phrase("score-at-line", line=line) if time is None else phrase("score-at-line-time", line=line, time=time)


def _time(table: SensorTable, row: int) -> str | None:
    """Return the time of a row, without a date where the table has none."""
    if table.seconds is None or math.isnan(table.seconds[row]):
        return None
    seconds = float(table.seconds[row])
    found = datetime.fromtimestamp(round(seconds, 3), UTC).replace(tzinfo=None)
    return (found.time() if 0 <= seconds <= _DAY_S else found).isoformat(timespec="auto").replace("T", " ")
