"""How many anomalies a sensor has reported in a row."""

from __future__ import annotations

from collections.abc import Callable

OnRun = Callable[[str, int], None]


class AnomalyRuns:
    """Counts per sensor, in this process alone; reports a run when it is long enough, and when it ends.

    Losing a count when threads meet would only report a run one row later, so there is no lock.
    """

    def __init__(self) -> None:
        self._runs: dict[str, int] = {}
        self._on_run: OnRun = _nobody

    def listen(self, on_run: OnRun) -> None:
        """Set what is called with the sensor and the length of its run; 0 when it has ended."""
        self._on_run = on_run

    def note(self, sensor: str, *, anomaly: bool, after: int | None) -> None:
        """Count a row.

        Args:
            sensor: that the row is of.
            anomaly: whether it is one.
            after: the length of a run that somebody wants to know of; None when nobody does.
        """
        if not anomaly:
            run = self._runs.pop(sensor, 0)
            if after is not None and run >= after:
                self._on_run(sensor, 0)
            return
        run = self._runs[sensor] = self._runs.get(sensor, 0) + 1
        # Again now and then: what could not be written the first time is written later.
        if after is not None and run >= after and run % after == 0:
            self._on_run(sensor, run)


def _nobody(sensor: str, run: int) -> None:
    del sensor, run
