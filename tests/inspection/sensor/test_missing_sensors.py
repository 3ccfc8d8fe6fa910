"""A series of which single sensors are missing: the others are judged as before."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inspection.sensor import SensorModel, SensorStream, SensorTraining, score_rows, train

SENSORS = 8
NAMES = tuple("abcdefgh")
TENTH = np.arange(4000) % 10 == 0


def related(rows: int, seed: int) -> NDArray[np.float64]:
    """Return rows of eight sensors that follow two slow loads."""
    rng = np.random.default_rng(seed)
    smoothed = [np.convolve(rng.normal(size=rows + 39), np.ones(40) / 40**0.5, mode="valid") for _ in range(2)]
    weights = np.random.default_rng(99).normal(size=(2, SENSORS))
    return np.asarray(np.stack(smoothed, axis=1) @ weights + rng.normal(scale=0.2, size=(rows, SENSORS)), np.float64)


@pytest.fixture(scope="module")
def model() -> SensorModel:
    return train(related(4000, 0), NAMES, SensorTraining(window=0)).model


def with_fault(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rows with a drift of the first sensor from row 1000 on."""
    out = rows.copy()
    out[1000:, 0] += 1.2 * np.arange(len(out) - 1000) / 1000
    return out


@pytest.mark.parametrize("missing", range(1, SENSORS))
def test_a_missing_sensor_makes_no_alarms_of_the_others(model: SensorModel, missing: int) -> None:
    later = related(2000, 1)
    later[:, missing] = np.nan
    assert not score_rows(model, later).alarms.any()


def test_three_missing_sensors_make_no_alarms_of_the_others(model: SensorModel) -> None:
    later = related(2000, 1)
    later[:, [1, 4, 6]] = np.nan
    assert not score_rows(model, later).alarms.any()


@pytest.mark.parametrize("missing", range(1, SENSORS))
def test_a_fault_is_found_while_another_sensor_is_missing(model: SensorModel, missing: int) -> None:
    later = with_fault(related(2000, 1))
    later[:, missing] = np.nan
    scored = score_rows(model, later)
    assert not scored.alarms[:1000].any()
    assert scored.alarms[1000:].any()
    assert scored.leading(int(scored.alarms.argmax()), 1)[0][0] == "a"


def test_a_sensor_of_every_tenth_row_leaves_the_errors_of_the_others() -> None:
    rows = related(4000, 0)
    rows[~TENTH, 7] = np.nan
    model = train(rows, NAMES, SensorTraining(window=0)).model
    assert model.series is not None
    assert model.evidence is not None
    later = with_fault(related(2000, 1))
    later[~TENTH[:2000], 7] = np.nan
    features, filled = model.series.advance(later, np.arange(2000.0), model.series.begin())
    distances = model.evidence.distances(features, filled, model.scaling, model.network)
    errors = np.median(distances[:, features.shape[1] :].reshape(2000, -1, 2, SENSORS), axis=(0, 1))
    assert (errors[:, :7] > 100 * errors[:, 7:]).all()
    scored = score_rows(model, later)
    assert not scored.alarms[:1000].any()
    assert scored.alarms[1000:].any()


def test_a_stream_with_missing_sensors_scores_as_the_table(model: SensorModel) -> None:
    later = related(300, 1)
    later[100:200, [1, 4]] = np.nan
    stream = SensorStream(model)
    found = [stream.push(row).score for row in later.tolist()]
    np.testing.assert_allclose(found, model.score(later), rtol=1e-9)
