"""What a training has to report about its data: codes of texts, and the values that these name."""

from __future__ import annotations

import math
from collections.abc import Iterator

from inspection.sensor.model.metadata import SensorMetadata
from inspection.sensor.table.form import Assumption
from inspection.sensor.training.files import SensorFiles
from inspection.sensor.training.series import MAX_SERIES_SENSORS, MIN_SERIES_ROWS
from inspection.sensor.training.settings import ROWS_OF_SENSOR

_SHOWN = 10


def findings_of(made: SensorFiles) -> Iterator[Assumption]:
    """Yield what of the table was left out, and what looks wrong with the rows; not what was assumed about the file."""
    constant = made.trained.constant
    yield from _about_series(made.trained.model.metadata)
    if made.trained.found_no_series:
        yield Assumption("sensor-no-series", {"least": MIN_SERIES_ROWS, "most": MAX_SERIES_SENSORS})
    yield from _about_few_rows(made.trained.model.metadata)
    if made.trained.unused:
        yield Assumption("sensor-settings-unused", {"names": ", ".join(made.trained.unused)})
    if made.left_out:
        yield Assumption("sensor-left-out", {"columns": ", ".join(made.left_out)})
    if constant:
        yield Assumption("sensor-constant", {"columns": _listed(constant)})
    unused = rows_not_learned(made)
    if unused:
        yield Assumption("sensor-rows-unused", {"count": unused, "rows": made.trained.model.metadata.rows})
    resting = made.trained.nearly_constant
    if resting:
        yield Assumption("sensor-nearly-constant", {"columns": _listed(resting)})
    data_warnings = made.data_warnings
    if data_warnings.labels:
        names = data_warnings.labels[:_SHOWN]
        options = " ".join(f'--leave-out "{name}"' for name in names)
        yield Assumption("sensor-labels", {"columns": ", ".join(names), "options": options})
    for found in data_warnings.na_values[:_SHOWN]:
        values = {"column": found.column, "value": f"{found.value:.15g}", "rows": found.rows}
        yield Assumption("sensor-na-value", values)
    named = {found.column for found in data_warnings.na_values}
    for lone in [one for one in made.trained.lone if one.column not in named][:_SHOWN]:
        yield Assumption(
            "sensor-lone-values", {"column": lone.column, "count": lone.count, "value": f"{lone.farthest:.6g}"}
        )
    for name in made.clocks[:_SHOWN]:
        yield Assumption("sensor-counter", {"column": name})
    for name, count in data_warnings.mostly_missing[:_SHOWN]:
        yield Assumption("sensor-mostly-missing", {"column": name, "count": count})
    if data_warnings.backward and made.trained.model.metadata.window > 1:
        yield Assumption("sensor-time-backward", {"rows": data_warnings.backward})


def _about_series(metadata: SensorMetadata) -> Iterator[Assumption]:
    """Yield the time scales that were chosen, the cycles that were found, and what the threshold promises."""
    series = metadata.series
    if series is None:
        return
    cycles = ", ".join(_span(period, metadata.period_s) for period, _ in series.cycles) or "-"
    spans = ", ".join(_span(span, metadata.period_s) for span in series.spans)
    yield Assumption("sensor-series", {"spans": spans, "cycles": cycles})
    if series.origin_s is None:
        yield Assumption("sensor-series-without-times", {})
    if series.false_alarms_per_week is not None:
        weeks = 1 / series.false_alarms_per_week
        yield Assumption(
            "sensor-series-alarms", {"rate": f"{series.false_alarms_per_week:.2g}", "weeks": f"{weeks:.2g}"}
        )
    if series.longest_stop:
        longest = _span(series.longest_stop, metadata.period_s)
        yield Assumption("sensor-series-stops", {"count": series.stops, "longest": longest})
    elif series.stops:
        yield Assumption("sensor-series-few-stops", {"count": series.stops})
    if series.rows_used < metadata.rows:
        yield Assumption("sensor-series-newest", {"used": series.rows_used, "rows": metadata.rows})


def _about_few_rows(metadata: SensorMetadata) -> Iterator[Assumption]:
    """Yield that a threshold is too low: of rows by themselves that are few, and too wide to be held out."""
    least = ROWS_OF_SENSOR * len(metadata.columns)
    by_itself = metadata.series is None and metadata.window == 1
    if by_itself and metadata.rows < least and not metadata.threshold_held_out:
        values = {"rows": metadata.rows, "sensors": len(metadata.columns), "least": least}
        yield Assumption("sensor-few-rows", values)


def _span(rows: float, period_s: float | None) -> str:
    """Return a number of rows, with the time that they take where it is known."""
    if period_s is None:
        return f"{rows:g}"
    seconds = rows * period_s
    unit, size = next(
        (pair for pair in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)) if seconds >= 2 * pair[1]), ("s", 1.0)
    )
    return f"{rows:g} ({seconds / size:.3g} {unit})"


def rows_not_learned(made: SensorFiles) -> int:
    """Return how many rows missed more than half of their values."""
    trained = made.trained
    filled = trained.errors[trained.not_counted :]
    return sum(map(math.isnan, filled.tolist())) - trained.lone_rows


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_SHOWN]) + ("…" if len(names) > _SHOWN else "")
