"""Generated machines of a small factory: one to three signals of a year, weeks of training, rows as loggers lose them.

Unlike those of ``machines``: the training is one to eight weeks long, the machines stop, and their cycles are no whole
numbers of rows. The same seed gives the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.benchmarks.inspection.machines import DAY, Fault, Machine, following, loads, wandering

WEEKS = (1, 2, 4, 8)
"""Of training; the seed takes one after the other."""
_PERIOD_S = 300.0
_BEGIN_S = 1_640_995_200.0
_DAYS = 365
_ROWS = _DAYS * DAY
_HOUR = 12
_AFTER = 2 * DAY
"""Rows after a fault in which alarms are neither right nor false."""
_FAULTS = 4
_BATCH = 37.3

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Signals:
    """A machine without faults.

    Attributes:
        values: float64 ``(rows, sensors)``.
        usual: how far a shift must move the first sensor to be one.
        step: the values are whole multiples of it.
        idle: the first sensor's value while the machine stands still.
        day: float64 ``(rows,)``, the part of the first sensor that repeats with the day or the batch.
        stopped: bool ``(rows,)``, where the machine stands still in normal operation.
    """

    values: Matrix
    usual: float
    step: float
    idle: float
    day: Vector
    stopped: Mask


def factory(seed: int) -> Iterator[Machine]:
    """Yield a machine of each kind."""
    for place, (name, signals) in enumerate(_KINDS.items()):
        yield _with_faults(name, seed, place, signals)
    yield _run_to_failure(seed)


def _days(rows: int = _ROWS) -> Vector:
    return np.arange(rows) / DAY


def _stops(rng: np.random.Generator, days_between: float, hours: tuple[float, float], first: float) -> Mask:
    """Return when a machine stands still: at irregular times, so many days apart."""
    out = np.zeros(_ROWS, np.bool_)
    at = first
    while at < _DAYS:
        start = int(at * DAY)
        out[start : start + int(rng.uniform(*hours) * _HOUR)] = True
        at += days_between * rng.uniform(0.6, 1.4)
    return out


def _with_stops(values: Vector, stopped: Mask, idle: float, memory: float) -> Vector:
    """Return values that go to ``idle`` while stopped, with a lag of so many rows."""
    share = following(np.where(stopped, 0.0, 1.0), memory)
    return idle + (values - idle) * share


def _oven(rng: np.random.Generator) -> Signals:
    """Return a temperature with a day, a week, seasons and load steps."""
    place = _days()
    day = rng.uniform(2, 4) * np.sin(2 * np.pi * (place - rng.uniform())) + np.sin(4 * np.pi * place)
    weekend = (place.astype(int) % 7 >= 5).astype(np.float64)  # noqa: PLR2004 - Saturday
    values = 180 + day + 6 * np.sin(2 * np.pi * (place / _DAYS - rng.uniform())) - 4 * following(weekend, 30)
    values += following(loads(rng, _ROWS, 80, 1.5), 10) + 0.4 * rng.normal(size=_ROWS)
    return Signals(values[:, None], 9.0, 0.1, 22.0, day, np.zeros(_ROWS, np.bool_))


def _gearbox(rng: np.random.Generator) -> Signals:
    """Return a temperature whose level wanders for a day and more, maintained every three weeks or so."""
    place = _days()
    day = 1.5 * np.sin(2 * np.pi * (place - rng.uniform()))
    values = 85 + day + 3 * np.sin(2 * np.pi * (place / _DAYS - rng.uniform())) + wandering(rng, _ROWS, 1.5 * DAY, 2.0)
    values += wandering(rng, _ROWS, 20, 0.7) + 0.2 * rng.normal(size=_ROWS)
    stopped = _stops(rng, 90, (4, 16), rng.uniform(2, 6))
    return Signals(_with_stops(values, stopped, 24.0, 18)[:, None], 12.0, 0.01, 24.0, day, stopped)


def _press(rng: np.random.Generator) -> Signals:
    """Return a temperature of a machine that is stopped every few days, for hours, at no fixed time."""
    place = _days()
    day = 2 * np.sin(2 * np.pi * (place - rng.uniform()))
    values = 65 + day + 4 * np.sin(2 * np.pi * (place / _DAYS - rng.uniform()))
    values += following(loads(rng, _ROWS, 60, 1.0), 12) + 0.3 * rng.normal(size=_ROWS)
    stopped = _stops(rng, 2.2, (3, 9), rng.uniform(0.5, 2))
    return Signals(_with_stops(values, stopped, 21.0, 8)[:, None], 7.0, 0.1, 21.0, day, stopped)


def _motors(rng: np.random.Generator) -> Signals:
    """Return the currents of two motors of one line, and its speed."""
    speed = 1400 + 60 * following(loads(rng, _ROWS, 200, 1.0), 3)
    load = following(loads(rng, _ROWS, 40, 1.0), 3)
    first = 14 + 1.2 * load + 0.01 * (speed - 1400) + 0.15 * rng.normal(size=_ROWS)
    second = 9 + 0.8 * load + 0.006 * (speed - 1400) + 0.15 * rng.normal(size=_ROWS)
    values = np.stack([first, second, speed + 2 * rng.normal(size=_ROWS)], axis=1)
    day = 1.2 * load
    return Signals(values, 2.5, 0.01, 0.0, day, np.zeros(_ROWS, np.bool_))


def _valve(rng: np.random.Generator) -> Signals:
    """Return the opening of a valve in batches of 37.3 rows, which ends at 0 and 100, and the flow behind it."""
    turn = np.arange(_ROWS) / _BATCH + rng.uniform()
    course = 50 + 75 * np.sin(2 * np.pi * turn) + 12 * np.sin(4 * np.pi * turn + 1)
    opening = np.clip(course + 1.5 * rng.normal(size=_ROWS), 0, 100)
    flow = 3 + 0.2 * following(opening, 2) + 0.4 * np.sin(2 * np.pi * _days()) + 0.25 * rng.normal(size=_ROWS)
    return Signals(np.stack([flow, opening], axis=1), 4.0, 0.1, 3.0, flow - flow.mean(), np.zeros(_ROWS, np.bool_))


def _tank(rng: np.random.Generator) -> Signals:
    """Return the level of a tank in whole percents: drained by a changing consumption, filled at a quarter."""
    use = np.maximum(0.9 + 0.25 * np.sin(2 * np.pi * _days()) + wandering(rng, _ROWS, 40, 0.2), 0.1)
    level, filling, out = 60.0, False, np.empty(_ROWS)
    for row, used in enumerate(use.tolist()):
        filling = level < 25 or (filling and level < 85)  # noqa: PLR2004 - the switches of the tank
        level += (4.0 if filling else 0.0) - used
        out[row] = level
    out += 0.4 * rng.normal(size=_ROWS)
    return Signals(out[:, None], 40.0, 1.0, 0.0, out - out.mean(), np.zeros(_ROWS, np.bool_))


_KINDS: dict[str, Callable[[np.random.Generator], Signals]] = {
    "oven": _oven,
    "gearbox, maintained": _gearbox,
    "press with stops": _press,
    "motors": _motors,
    "valve of batches": _valve,
    "tank": _tank,
}


def _drift(part: Signals) -> Vector:
    return part.values[:, 0] + part.usual * 1.6 * np.linspace(0, 1, len(part.values))


def _falling_drift(part: Signals) -> Vector:
    return part.values[:, 0] - part.usual * 1.6 * np.linspace(0, 1, len(part.values))


def _drop(part: Signals) -> Vector:
    return part.values[:, 0] - 1.4 * part.usual * np.minimum(np.arange(len(part.values)) / 6, 1)


def _shift(part: Signals) -> Vector:
    return part.values[:, 0] + part.usual * (1 - np.exp(-np.arange(len(part.values)) / 20))


def _shut_down(part: Signals) -> Vector:
    return part.idle + (part.values[:, 0] - part.idle) * np.exp(-np.arange(len(part.values)) / 10)


def _change_day(part: Signals) -> Vector:
    return part.values[:, 0] + 1.5 * part.day


def _stick(part: Signals) -> Vector:
    return np.full(len(part.values), part.values[0, 0])


_CHANGES: dict[str, tuple[Callable[[Signals], Vector], int]] = {
    "drift": (_drift, 8 * DAY),
    "falling drift": (_falling_drift, 8 * DAY),
    "drop": (_drop, DAY),
    "shift": (_shift, 2 * DAY),
    "shut-down": (_shut_down, 3 * DAY),
    "changed day": (_change_day, 5 * DAY),
    "stuck": (_stick, 2 * DAY),
}
"""What a fault makes of the first sensor, and the rows until its deadline, in which it lasts too."""
_UNFIT = {
    "motors": {"changed day"},
    "tank": {"changed day", "drift", "falling drift", "drop"},
    "gearbox, maintained": {"changed day"},
    "press with stops": {"changed day"},
}
"""What a kind of machine does without being faulty."""


def _with_faults(name: str, seed: int, place: int, make: Callable[[np.random.Generator], Signals]) -> Machine:
    rng = np.random.default_rng([seed, 1000 + place])
    signals = make(rng)
    weeks = WEEKS[(seed + place) % len(WEEKS)]
    training = weeks * 7 * DAY
    kinds = [kind for kind in _CHANGES if kind not in _UNFIT.get(name, set())]
    taken = [kinds[one] for one in rng.permutation(len(kinds))[:_FAULTS]]
    values, spans = signals.values.copy(), []
    room = (_ROWS - training - 4 * DAY) // len(taken)
    for turn, kind in enumerate(taken):
        change, length = _CHANGES[kind]
        start = training + 3 * DAY + turn * room + int(rng.integers(0, room - length - _AFTER))
        start += int(np.argmin(signals.stopped[start:]))
        rows = slice(start, start + length)
        values[rows, 0] = change(replace(signals, values=values[rows], day=signals.day[rows]))
        spans.append((start, start + length))
    values = np.round(np.round(values / signals.step) * signals.step, 6)
    return _logged(name, values, training, spans, rng)


def _logged(
    name: str, values: Matrix, training: int, spans: Sequence[tuple[int, int]], rng: np.random.Generator
) -> Machine:
    """Return what a logger keeps: rows and values missing, and on every second machine the clock of summer."""
    rows = len(values)
    values[rng.random(values.shape) < 0.003] = np.nan  # noqa: PLR2004 - three values in a thousand
    kept = np.ones(rows, np.bool_)
    for first in rng.integers(0, rows, 15).tolist():
        kept[first : first + int(rng.integers(2, 150))] = False
    for start, end in spans:
        kept[start:end] = True
    seconds = np.asarray(_BEGIN_S + _PERIOD_S * np.arange(rows), np.float64)
    if rng.random() < 0.5:  # noqa: PLR2004 - half of them
        seconds[86 * DAY + 24 : 303 * DAY + 36] += 3600
    places = np.flatnonzero(kept)
    found = np.searchsorted(places, np.array(spans)).tolist()
    faults = tuple(Fault(start, end, min(end + _AFTER, len(places))) for start, end in found)
    return Machine(name, values[places], seconds[places], int(np.searchsorted(places, training)), faults)


def _run_to_failure(seed: int) -> Machine:
    """Return level and kurtosis of a bearing's vibration, rows ten minutes apart, from its run-in to its failure."""
    rng = np.random.default_rng([seed, 1100])
    rows = int(rng.integers(3000, 6000))
    place = np.arange(rows)
    start = int(rows * rng.uniform(0.7, 0.88))
    worn = np.maximum((place - start) / (rows - start), 0.0) ** 1.5 * rng.uniform(1.0, 3.0)
    speed = 1 + 0.08 * following(loads(rng, rows, 60, 1.0), 2)
    level = speed * (0.1 + 0.03 * np.exp(-place / 150)) * (1 + wandering(rng, rows, 80, 0.04))
    level = level * (1 + worn) * (1 + 0.03 * rng.normal(size=rows))
    kurtosis = 3.2 + 0.4 * np.exp(-place / 150) + wandering(rng, rows, 20, 0.1) + 0.12 * rng.normal(size=rows)
    kurtosis += 2.5 * worn * np.exp(-worn) * (1 + 0.2 * rng.normal(size=rows))
    values = np.asarray(np.round(np.stack([level, kurtosis], axis=1), 4), np.float64)
    seconds = np.asarray(_BEGIN_S + 600.0 * place, np.float64)
    training = min(WEEKS[seed % 2] * 7 * 144, start - 144)
    return Machine("bearing to its end", values, seconds, training, (Fault(start, rows, rows),))
