"""A model of weights that were trained elsewhere, with the scaling and the threshold that its data give."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.network import Network
from inspection.sensor.model.reconstruction import squared_errors
from inspection.sensor.model_file.checkpoint import read_networks
from inspection.sensor.table.data_warnings import find_data_warnings
from inspection.sensor.table.form import ANY_FORM, TableForm
from inspection.sensor.table.reading import read_table
from inspection.sensor.training.feature_scaling import scaling_of
from inspection.sensor.training.files import SensorFiles, usual_period, write_files
from inspection.sensor.training.settings import SensorTraining
from inspection.sensor.training.train import Fitted, TrainingResult, assemble, require_rows
from models.errors import InvalidInput


def import_files(
    checkpoint: Path,
    data: Path,
    output: Path,
    settings: SensorTraining,
    *,
    leave_out: Sequence[str] = (),
    form: TableForm = ANY_FORM,
    name: str = "",
) -> SensorFiles:
    """Write the ``model.npz`` of a ``model.pth`` that was trained elsewhere, beside it threshold and errors.

    Args:
        checkpoint: ``model.pth``; its ``state_dict`` alone is read.
        data: CSV file of the rows it was trained on.
        output: ``model.npz``.
        settings: name, scaling and rule of the threshold; the rows are vectors.
        leave_out: columns that are not sensors.
        form: what is known of the data file.
        name: of the data file in messages; empty for that of its path.

    Raises:
        InvalidInput, TooLarge, Unavailable: as ``read_networks``, ``read_table`` and ``adopt``.
    """
    began = time.perf_counter()
    networks = read_networks(checkpoint)
    table = read_table(data, leave_out, (), form, name=name)
    data_warnings = find_data_warnings(table)
    # It may have learned from a counter: what has as many columns as the network is taken whole.
    inputs = networks[0].sizes[0]
    clocks = data_warnings.counters if len(table.columns) - len(data_warnings.counters) == inputs else ()
    table = table.without(clocks)
    trained = adopt(networks, table.values, table.columns, settings, usual_period(table.seconds))
    return write_files(
        output, trained, table, checkpoint=checkpoint, clocks=clocks, data_warnings=data_warnings, began=began
    )


def adopt(
    networks: Sequence[Network],
    values: NDArray[np.float64],
    columns: tuple[str, ...],
    settings: SensorTraining,
    period_s: float | None = None,
) -> TrainingResult:
    """Return the model of a network as it is; of several, of the one that rebuilds the rows best.

    Args:
        networks: what a file of weights can be of.
        values: float64 ``(n, sensors)``, the rows it was trained on; NaN where a value is missing.
        columns: names of the sensors.
        settings: name, scaling and rule of the threshold.
        period_s: median time between rows, where known.

    Raises:
        InvalidInput: ``sensor-checkpoint-columns`` when the rows have more or fewer values than the network, and as
            ``require_rows``.
    """
    require_rows(values, columns, settings)
    inputs = networks[0].sizes[0]
    if (inputs, networks[0].sizes[-1]) != (len(columns), len(columns)):
        raise InvalidInput("sensor-checkpoint-columns", expected=inputs, given=len(columns), columns=", ".join(columns))
    scaling = scaling_of(values, (slice(0, len(values)),), settings, None)
    squares = [squared_errors(values, scaling, network) for network in networks]
    best = int(np.argmin([np.nanmedian(found.sum(axis=1)) for found in squares]))
    # The errors are those of the rows it was trained on: nobody else's network can be fitted to a part of them.
    fitted = Fitted(scaling, networks[best], None, settings.epochs or 1, [squares[best]])
    return assemble(values, columns, settings, fitted, period_s=period_s)
