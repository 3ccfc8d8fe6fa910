"""What a training has to report about its data: codes of texts, and the values that these name."""

from __future__ import annotations

import math
from collections.abc import Iterator

from inspection.sensor.table.form import Assumption
from inspection.sensor.training.files import SensorFiles

_SHOWN = 10


def findings_of(made: SensorFiles) -> Iterator[Assumption]:
    """Yield what of the table was left out, and what looks wrong with the rows; not what was assumed about the file."""
    constant = made.trained.constant
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
    for name in made.clocks[:_SHOWN]:
        yield Assumption("sensor-counter", {"column": name})
    for name, count in data_warnings.mostly_missing[:_SHOWN]:
        yield Assumption("sensor-mostly-missing", {"column": name, "count": count})
    if data_warnings.backward and made.trained.model.metadata.window > 1:
        yield Assumption("sensor-time-backward", {"rows": data_warnings.backward})


def rows_not_learned(made: SensorFiles) -> int:
    """Return how many rows missed more than half of their values."""
    filled = made.trained.errors[made.trained.model.metadata.window - 1 :]
    return sum(map(math.isnan, filled.tolist()))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_SHOWN]) + ("…" if len(names) > _SHOWN else "")
