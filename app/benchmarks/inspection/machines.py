"""Generated machines with a known onset of their faults; the same seed gives the same values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.smoothing import smooth

DAY = 288
"""Rows of a day, five minutes apart."""
_YEAR = 365 * DAY
_BEGIN_S = 1_600_000_000.0
_FAULT_ROWS = {"shift": 2 * DAY, "drift": 8 * DAY, "stuck": 2 * DAY, "noise": 2 * DAY, "drop": DAY}

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to be found.

    Attributes:
        start: row in which it begins.
        end: row of the deadline; what is an alarm until then finds it.
        over: row after which alarms are false again; the end of the table where the machine does not recover.
    """

    start: int
    end: int
    over: int


@dataclass(frozen=True, slots=True)
class Machine:
    """A series with its faults.

    Attributes:
        name: of the machine.
        values: float64 ``(rows, sensors)``; NaN where missing.
        seconds: float64 ``(rows,)``.
        training: number of first rows, all of normal operation.
        faults: in the order of time.
    """

    name: str
    values: Matrix
    seconds: Vector
    training: int
    faults: tuple[Fault, ...]


def generated(seed: int) -> Iterator[Machine]:
    """Yield a machine of each kind."""
    for style in range(4):
        yield _year(seed, style)
    yield _bearing(seed)
    yield _milling(seed)
    yield _motor(seed)
    yield _heating(seed)


def following(values: Vector, rows: float) -> Vector:
    """Return values behind a lag of first order."""
    return smooth(values[:, None], 1 / rows, values[:1])[:, 0]


def wandering(rng: np.random.Generator, rows: int, memory: float, deviation: float) -> Vector:
    """Return a mean-reverting random walk (Ornstein-Uhlenbeck)."""
    keep = np.exp(-1 / memory)
    steps = rng.normal(scale=deviation * np.sqrt(1 - keep * keep), size=rows) / (1 - keep)
    return smooth(steps[:, None], float(1 - keep), np.zeros(1))[:, 0]


def loads(rng: np.random.Generator, rows: int, usual: int, deviation: float) -> Vector:
    """Return a load that stays for a while, then changes."""
    lengths = rng.exponential(usual, size=rows // 6 + 1).astype(int) + 6
    return np.repeat(rng.normal(scale=deviation, size=len(lengths)), lengths)[:rows]


def _year(seed: int, style: int) -> Machine:
    """Return one temperature of a year, with four faults of different kinds, rows missing."""
    rng = np.random.default_rng([seed, style])
    place = np.arange(_YEAR)
    season = np.sin(2 * np.pi * (place / _YEAR - rng.uniform()))
    day = np.sin(2 * np.pi * (place / DAY - rng.uniform()))
    weekend = (place // DAY % 7 >= 5).astype(np.float64)  # noqa: PLR2004 - Saturday
    noise = rng.normal(size=_YEAR)
    step, rate, wild = ((8, 1.6, 2.0), (15, 3.5, 2.5), (8, 1.6, 2.5), (3.5, 0.5, 1.0))[style]
    if style == 0:
        values = 60 + 4 * day + 5 * season - 3 * following(weekend, 40) + 0.3 * noise
        values += following(loads(rng, _YEAR, 100, 1.2), 12)
    elif style == 1:
        values = 90 + 4 * season + wandering(rng, _YEAR, 3 * DAY, 3) + wandering(rng, _YEAR, 24, 0.8) + 0.25 * noise
    elif style == 2:  # noqa: PLR2004 - runs in the day, of five days a week
        runs = (place % DAY > 84) & (place % DAY < 252) & (weekend == 0)  # noqa: PLR2004 - seven to nine o'clock
        values = 25 + 6 * season + 1.5 * day + 0.3 * noise
        values += following(np.where(runs, 30 + loads(rng, _YEAR, 60, 1.0), 0.0), 10)
    else:
        turns = np.cumsum((1 + 0.05 * wandering(rng, _YEAR, 50, 1)) / 8)
        values = (
            5 + np.sin(2 * np.pi * turns) + 0.8 * day + 1.2 * season + wandering(rng, _YEAR, 30, 0.2) + 0.15 * noise
        )
    starts = np.sort(rng.choice(np.arange(1, 9), 4, replace=False)) * (_YEAR // 10) + rng.integers(0, _YEAR // 20, 4)
    spans = []
    for start, kind in zip(starts.tolist(), rng.permutation(list(_FAULT_ROWS))[:4].tolist(), strict=True):
        rows = np.arange(_FAULT_ROWS[kind], dtype=np.float64)
        part = slice(start, start + len(rows))
        if kind == "shift":
            values[part] += step * (1 - np.exp(-rows / 20))
        elif kind == "drift":
            values[part] += rate * rows / DAY
        elif kind == "stuck":
            values[part] = values[start]
        elif kind == "noise":
            values[part] += wild * 1.5 * rng.normal(size=len(rows)) * np.minimum(1, rows / DAY)
        else:
            values[part] -= 1.8 * step * np.minimum(rows / 12, 1)
        spans.append((part.start, part.stop))
    values = np.round(values, 2)
    values[rng.random(_YEAR) < 0.003] = np.nan  # noqa: PLR2004 - three rows in a thousand
    kept = np.ones(_YEAR, np.bool_)
    for first in rng.integers(0, _YEAR, 12).tolist():
        kept[first : first + int(rng.integers(3, 200))] = False
    for start, end in spans:
        kept[start:end] = True
    rows_kept = np.flatnonzero(kept)
    faults = tuple(
        Fault(start, end, end + 2 * DAY) for start, end in np.searchsorted(rows_kept, np.array(spans)).tolist()
    )
    training = min(faults[0].start - 3 * DAY, 42 * DAY)
    seconds = np.asarray(_BEGIN_S + 300.0 * rows_kept, np.float64)
    return Machine(f"temperature {style + 1}", values[rows_kept, None], seconds, training, faults)


def _bearing(seed: int) -> Machine:
    """Return the vibration of four bearings, rows ten minutes apart, one of which wears until it fails."""
    rng = np.random.default_rng([seed, 77])
    rows = int(rng.integers(900, 2000))
    place = np.arange(rows)
    start = int(rows * rng.uniform(0.55, 0.75))
    values = np.empty((rows, 4))
    worn = np.where(place > start, np.exp((place - start) / (rows - start) * rng.uniform(1.2, 2)) - 1, 0.0)
    for bearing in range(4):
        level = 1 + 0.06 * np.exp(-place / 30) + wandering(rng, rows, 60, 0.03) + 0.02 * rng.normal(size=rows)
        share = 1.0 if bearing == 0 else 0.15
        values[:, bearing] = rng.uniform(0.05, 0.2) * level * (1 + share * worn * (1 + 0.15 * rng.normal(size=rows)))
    seconds = np.asarray(_BEGIN_S + 600.0 * place, np.float64)
    return Machine("bearing", np.round(values, 4), seconds, rows // 4, (Fault(start, rows, rows),))


def _case(name: str, values: Matrix, period_s: float, training: int, fault: tuple[int, int]) -> Machine:
    seconds = np.asarray(_BEGIN_S + period_s * np.arange(len(values)), np.float64)
    return Machine(name, np.round(values, 3), seconds, training, (Fault(fault[0], sum(fault), len(values)),))


def _milling(seed: int) -> Machine:
    """Return the vibration of a milling machine, parts of three minutes, a tool of seven hours; then it chatters."""
    rng = np.random.default_rng([seed, 5])
    rows = 9 * 8640
    place = np.arange(rows)
    course = np.array([0.2, 1.0, 2.2, 1.6, 2.4, 0.5])[place % 18 // 3]
    worn = place % 2700 / 2700
    pair = np.stack([course * (1 + 0.25 * worn), 0.6 * course * (1 + 0.12 * worn)], axis=1)
    pair = pair * (1 + 0.06 * rng.normal(size=(rows, 2))) + 0.02 * np.abs(rng.normal(size=(rows, 2)))
    start = 8 * 8640 + 3000
    pair[start:] *= 1.35
    return _case("milling machine", pair, 10.0, 8640, (start, 180))


def _motor(seed: int) -> Machine:
    """Return current and speed of a motor under changing load; then friction takes another ampere within an hour."""
    rng = np.random.default_rng([seed, 6])
    rows = 9 * 8640
    load = following(loads(rng, rows, 30, 1.0), 3)
    pair = np.stack([12 + 1.5 * load, 1480 - 4 * load], axis=1) + rng.normal(scale=[0.15, 0.5], size=(rows, 2))
    start = 8 * 8640 + 2000
    pair[start:, 0] += np.minimum(np.arange(rows - start) / 360, 1)
    return _case("motor", pair, 10.0, 8640, (start, 720))


def _heating(seed: int) -> Machine:
    """Return a temperature, a row a minute, that begins to drift by 0.4 degrees an hour after a normal week."""
    rng = np.random.default_rng([seed, 7])
    rows = 16 * 1440
    place = np.arange(rows)
    values = 55 + 3 * np.sin(2 * np.pi * (place / 1440 - 0.3)) + following(loads(rng, rows, 60, 1.0), 20)
    values += 0.2 * rng.normal(size=rows)
    start = 14 * 1440 + 200
    values[start:] += 0.4 * np.arange(rows - start) / 60
    return _case("heating", values[:, None], 60.0, 7 * 1440, (start, 1440))
