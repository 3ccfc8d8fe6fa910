"""The arrays of a model of a series in its file."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.cycles import Cycle
from inspection.sensor.model.evidence import Evidence
from inspection.sensor.model.metadata import SensorMetadata
from inspection.sensor.model.sensor_model import SensorModel
from inspection.sensor.model.series import KINDS, OF_CHANNEL, Series
from inspection.sensor.model.stops import Stops

MOST_CYCLES = 8
_MOST_PHASES = 10_000

Matrix = NDArray[np.float64]
Floats = Callable[[str, tuple[int, ...] | None], Matrix]
"""Returns the finite float64 array of a name, of a shape where one is given; raises ValueError or KeyError."""


def series_arrays(model: SensorModel) -> dict[str, Matrix]:
    """Return the arrays of the series of a model; none for other models."""
    series, evidence = model.series, model.evidence
    if series is None or evidence is None:
        return {}
    arrays = {
        "series_mean": series.mean,
        "series_spread": series.spread,
        "series_roughness": series.roughness,
        "series_usual": series.usual,
        "series_relation_spread": series.relation_spread,
        "series_base": series.base,
        "series_limits": evidence.limits,
        **{f"series_profile_{place}": cycle.profile for place, cycle in enumerate(series.cycles)},
    }
    if series.phase_spread is not None:
        arrays["series_phase_spread"] = series.phase_spread
    if series.relation is not None:
        arrays["series_relation"] = series.relation
    if series.stops is not None:
        arrays["series_stop_shown"] = series.stops.shown.astype(np.float64)
        arrays["series_stop_below"] = series.stops.below
        arrays["series_stop_release"] = series.stops.release
        arrays["series_stop_floor"] = series.stops.floor
        arrays["series_stop_entering"] = np.array([float(series.stops.entering)])
    return arrays


def features_of_series(metadata: SensorMetadata) -> int:
    """Return the number of features of a series."""
    sensors = len(metadata.columns)
    return OF_CHANNEL * (sensors if sensors == 1 else 2 * sensors)


def build_series(metadata: SensorMetadata, names: set[str], floats: Floats) -> tuple[Series, Evidence]:
    """Return the series of a file after checking that its arrays fit.

    Args:
        metadata: with that of the series.
        names: of the arrays in the file.
        floats: gives them.

    Raises:
        ValueError, KeyError: for arrays that do not fit.
    """
    given = metadata.series
    sensors = len(metadata.columns)
    channels = sensors if sensors == 1 else 2 * sensors
    if given is None or len(given.spans) != KINDS or len(given.cycles) > MOST_CYCLES:
        raise ValueError("series")
    if given.spans[0] < 1 or any(second <= first for first, second in pairwise(given.spans)):
        raise ValueError("spans")
    cycles = []
    for place, (period, shift) in enumerate(given.cycles):
        profile = floats(f"series_profile_{place}", None)
        if not period > 1 or profile.ndim != 2 or not 0 < len(profile) <= _MOST_PHASES:  # noqa: PLR2004 - a matrix
            raise ValueError("cycle")
        if profile.shape[1] != sensors:
            raise ValueError("profile")
        cycles.append(Cycle(period, shift, profile))
    phase_spread = None
    if "series_phase_spread" in names:
        if not cycles:
            raise ValueError("phases")
        phase_spread = floats("series_phase_spread", cycles[0].profile.shape)
    series = Series(
        spans=given.spans,
        cycles=tuple(cycles),
        mean=floats("series_mean", (sensors,)),
        spread=floats("series_spread", (sensors,)),
        phase_spread=phase_spread,
        roughness=floats("series_roughness", (channels,)),
        usual=floats("series_usual", (3 * channels,)),
        relation=floats("series_relation", (sensors, sensors)) if sensors > 1 else None,
        relation_spread=floats("series_relation_spread", (sensors,)),
        block=given.block,
        follow=given.follow,
        base=floats("series_base", (sensors,)),
        stops=_stops(given.longest_stop, sensors, names, floats),
        largest=given.largest,
    )
    evidence = Evidence(floats("series_limits", (2 * channels * OF_CHANNEL,)))
    positive = [series.spread, series.roughness, series.relation_spread, evidence.limits]
    if any((part <= 0).any() for part in positive) or (phase_spread is not None and (phase_spread <= 0).any()):
        raise ValueError("spread")
    return series, evidence


def _stops(longest: int, sensors: int, names: set[str], floats: Floats) -> Stops | None:
    if not longest:
        return None
    shown, below, release = (floats(f"series_stop_{name}", (sensors,)) for name in ("shown", "below", "release"))
    floor, entering = below, 1
    # Without a floor, as in models written before there was one, every low row is one of a stop.
    if "series_stop_floor" in names:
        floor, entering = floats("series_stop_floor", (sensors,)), int(floats("series_stop_entering", (1,))[0])
    if not shown.any() or (release < below).any() or (below < floor).any() or entering < 1:
        raise ValueError("stops")
    return Stops(shown > 0, below, release, longest, floor, entering)
