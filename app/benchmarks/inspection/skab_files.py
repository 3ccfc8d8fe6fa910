"""The files of SKAB and the part of each that a model is fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspection.sensor import read_table
from models.errors import InvalidInput

TRAINING_ROWS = 400
_GROUPS = ("valve1", "valve2", "other")


@dataclass(frozen=True, slots=True)
class SkabFile:
    """One series.

    Attributes:
        number: of the file within its folder.
        columns: names of the sensors.
        values: float64 ``(rows, sensors)``, in the order of time.
        anomaly: bool ``(rows,)``, the labels; read for the figures alone.
    """

    number: int
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    anomaly: NDArray[np.bool_]

    @property
    def training(self) -> NDArray[np.float64]:
        """The rows that models are fitted on, float64 ``(rows, sensors)``."""
        return self.values[:TRAINING_ROWS]

    @property
    def later(self) -> NDArray[np.bool_]:
        """Labels of the rows after them, bool ``(rows,)``."""
        return self.anomaly[TRAINING_ROWS:]


def read_files(data: Path) -> list[SkabFile]:
    """Read the files in ``data`` (``valve1/``, ``valve2/``, ``other/``, or a folder ``skab`` with them).

    Raises:
        InvalidInput: ``folder-missing``, ``sensor-column-unknown``, ``sensor-too-few-rows``, and what ``read_table``
            raises.
    """
    folder = data / "skab" if (data / "skab").is_dir() else data
    paths = [path for group in _GROUPS for path in sorted((folder / group).glob("*.csv"), key=_number)]
    if not paths:
        raise InvalidInput("folder-missing", folder=str(folder / _GROUPS[0]))
    return [_read(path) for path in paths]


def _read(path: Path) -> SkabFile:
    table = read_table(path, ("changepoint",))
    if "anomaly" not in table.columns:
        raise InvalidInput("sensor-column-unknown", column="anomaly", known=", ".join(table.columns))
    if len(table.values) <= TRAINING_ROWS:
        raise InvalidInput("sensor-too-few-rows", rows=len(table.values), least=TRAINING_ROWS + 1)
    place = table.columns.index("anomaly")
    return SkabFile(
        number=_number(path)[0],
        columns=tuple(name for name in table.columns if name != "anomaly"),
        values=np.delete(table.values, place, axis=1),
        anomaly=table.values[:, place] > 0.5,  # noqa: PLR2004 - half-way between the labels
    )


def _number(path: Path) -> tuple[int, str]:
    return (int(path.stem), "") if path.stem.isdecimal() else (0, path.stem)
