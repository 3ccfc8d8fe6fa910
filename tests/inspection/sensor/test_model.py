import io
import json
import math
import pickle
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inspection.sensor import (
    SensorModel,
    SensorStream,
    SensorTraining,
    load_model,
    model_bytes,
    model_from_bytes,
    save_model,
    train,
)
from inspection.sensor.model.metadata import FORMAT
from inspection.sensor.model_file import archive
from models.errors import InvalidInput
from tests.support.errors import has_code, raised_in
from tests.support.sensor_rows import COLUMNS, machine_rows

WINDOW = 5


@pytest.fixture(scope="module")
def vectors() -> SensorModel:
    return train(machine_rows(400), COLUMNS, SensorTraining()).model


@pytest.fixture(scope="module")
def windowed() -> SensorModel:
    return train(machine_rows(400), COLUMNS, SensorTraining(window=WINDOW)).model


@pytest.fixture(scope="module")
def long_windows() -> SensorModel:
    return train(machine_rows(800), COLUMNS, SensorTraining(window=90, epochs=20)).model


def stream_scores(model: SensorModel, rows: NDArray[np.float64]) -> list[float]:
    stream = SensorStream(model)
    return [score_or_nan(stream, row) for row in rows.tolist()]


def score_or_nan(stream: SensorStream, row: list[float]) -> float:
    try:
        return stream.push(row).score
    except InvalidInput:
        return math.nan


def test_the_score_is_the_norm_of_what_the_network_cannot_rebuild(vectors: SensorModel) -> None:
    row = np.array([103.0, 1.5, 61.0])
    scaled = (row - vectors.scaling.center) / vectors.scaling.scale
    expected = float(np.linalg.norm(scaled - vectors.network.reconstruct(scaled)))
    row_score = vectors.score_row(row.tolist())
    assert row_score.score == pytest.approx(expected, rel=1e-12)
    assert row_score.status == ("anomaly" if expected > vectors.metadata.threshold else "normal")


def test_a_broken_relation_of_sensors_is_an_anomaly(vectors: SensorModel) -> None:
    later = vectors.score(machine_rows(2000, seed=1))
    assert 0.01 < (later > vectors.metadata.threshold).mean() < 0.12
    broken = vectors.score_row([105.0, 1.6, 60.0])
    assert broken.status == "anomaly"
    assert max(broken.contributions, key=lambda name: broken.contributions[name]) in {"speed", "current"}


VALUES = st.floats(-1e6, 1e6)


@settings(max_examples=50, deadline=None)
@given(row=st.lists(st.one_of(st.none(), VALUES), min_size=3, max_size=3))
def test_contributions_add_up_to_the_score_squared(vectors: SensorModel, row: list[float | None]) -> None:
    if row.count(None) > 1:
        with pytest.raises(InvalidInput, check=has_code("sensor-too-many-missing", expected=3)):
            vectors.score_row(row)
        return
    row_score = vectors.score_row(row)
    assert math.isclose(sum(row_score.contributions.values()), row_score.score**2, rel_tol=1e-9)
    assert all(share >= 0 for share in row_score.contributions.values())
    for name, value in zip(COLUMNS, row, strict=True):
        if value is None:
            assert row_score.contributions[name] == 0.0


def test_contributions_of_windows_add_up_to_the_score(windowed: SensorModel) -> None:
    rows = machine_rows(40, seed=3)
    rows[20:, 2] += 30
    table, scores = windowed.contributions(rows), windowed.score(rows)
    assert np.allclose(table.sum(axis=1), scores**2, rtol=1e-9)
    stream = SensorStream(windowed)
    last = [stream.push(row) for row in rows.tolist()][-1]
    assert math.isclose(sum(last.contributions.values()), last.score**2, rel_tol=1e-9)
    assert list(last.contributions)[:3] == ["speed mean", "current mean", "temperature mean"]
    # The network has to explain the others by the wrong one, so that they have their part in it.
    assert last.contributions["temperature mean"] > 0.3 * last.score**2


@pytest.mark.parametrize("gaps", [False, True])
def test_a_stream_scores_as_the_whole_table_does(windowed: SensorModel, gaps: bool) -> None:
    rows = machine_rows(300, seed=4)
    rows[100:130, 0] += 20
    if gaps:
        rows[np.random.default_rng(5).random(rows.shape) < 0.2] = np.nan
        rows[200:212, 1] = np.nan
    assert np.allclose(windowed.score(rows), stream_scores(windowed, rows), rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["vectors", "windowed", "long_windows"]),
    gaps=st.sampled_from([0.0, 0.01, 0.2, 0.7]),
    away=st.floats(-3, 12),
    constant=st.booleans(),
)
def test_rows_one_by_one_score_as_the_table_does_whatever_they_hold(
    request: pytest.FixtureRequest, seed: int, kind: str, gaps: float, away: float, constant: bool
) -> None:
    model = request.getfixturevalue(kind)
    rng = np.random.default_rng(seed)
    rows = machine_rows(250, seed)
    start, stop = sorted(rng.integers(0, 250, 2).tolist())
    rows[start:stop] += 10**away * (1.0 if constant else rng.normal(size=(stop - start, 3)))
    if constant:
        rows[start:stop] = rows[start : start + 1]
    rows[rng.random(rows.shape) < gaps] = np.nan
    rows[rng.integers(0, 250, 3)] = np.nan
    table = model.score(rows)
    assert np.allclose(stream_scores(model, rows), table, rtol=1e-9, atol=0, equal_nan=True)


def test_a_row_too_far_away_for_any_number_spoils_no_later_one(windowed: SensorModel) -> None:
    tiny = replace(windowed, scaling=replace(windowed.scaling, scale=windowed.scaling.scale * 1e-60))
    rows = machine_rows(120, seed=12)
    rows[60] = 1e100
    stream = SensorStream(tiny)
    last = math.nan
    with np.errstate(over="ignore"):
        for place, row in enumerate(rows.tolist()):
            if 60 <= place < 60 + WINDOW:
                with pytest.raises(InvalidInput, check=has_code("sensor-value-infinite")):
                    stream.push(row)
            else:
                last = stream.push(row).score
        scores = tiny.score(rows)
    assert np.isnan(scores).nonzero()[0].tolist() == list(range(60, 60 + WINDOW))
    assert scores[-1] == pytest.approx(last, rel=1e-9)


def test_the_score_of_a_row_knows_nothing_of_later_rows(windowed: SensorModel) -> None:
    rows = machine_rows(100, seed=6)
    changed = rows.copy()
    changed[60:] += 1000
    assert np.array_equal(windowed.score(rows)[:60], windowed.score(changed)[:60])


def test_a_row_that_misses_too_much_leaves_the_other_scores_alone(vectors: SensorModel, windowed: SensorModel) -> None:
    rows = machine_rows(60, seed=7)
    whole = vectors.score(rows)
    rows[10, :2] = np.nan
    holed = vectors.score(rows)
    assert np.isnan(holed).tolist() == [place == 10 for place in range(60)]
    assert np.allclose(np.delete(holed, 10), np.delete(whole, 10))
    rows[20:40, :2] = np.nan
    scores = windowed.score(rows)
    assert np.isnan(scores).nonzero()[0].tolist() == list(range(24, 40))
    stream = SensorStream(windowed)
    for place, row in enumerate(rows.tolist()):
        if 24 <= place < 40:
            with pytest.raises(InvalidInput, check=has_code("sensor-too-many-missing", expected=3)):
                stream.push(row)
        else:
            assert stream.push(row).score == pytest.approx(scores[place], rel=1e-9)


def test_a_missing_value_hardly_moves_the_score_of_a_normal_row(vectors: SensorModel) -> None:
    rows = machine_rows(500, seed=8)
    whole = np.median(vectors.score(rows))
    for missing in range(3):
        holed = rows.copy()
        holed[:, missing] = np.nan
        scores = vectors.score(holed)
        assert np.median(scores) < 2 * whole
        assert (scores > vectors.metadata.threshold).mean() < 0.12


@pytest.mark.parametrize("length", [0, 2, 4])
def test_a_wrong_length_is_refused_with_the_length_expected(
    vectors: SensorModel, windowed: SensorModel, length: int
) -> None:
    for push in (vectors.score_row, SensorStream(windowed).push):
        with pytest.raises(InvalidInput) as raised:
            push([1.0] * length)
        assert raised.value.code == "sensor-wrong-length"
        assert raised.value.members == {"expected": 3, "given": length}
        assert raised.value.values["expected"] == 3
    with pytest.raises(InvalidInput, check=has_code("sensor-wrong-length", given=length, expected=3)):
        vectors.score(np.zeros((5, length)))


def test_infinite_values_are_refused(vectors: SensorModel, windowed: SensorModel) -> None:
    with pytest.raises(InvalidInput, check=has_code("sensor-value-infinite")):
        vectors.score_row([1.0, math.inf, 2.0])
    for row in ([None, -math.inf, 2.0], [None, 1e300, 2.0], [1e101, 1.0, 2.0]):
        with pytest.raises(InvalidInput, check=has_code("sensor-value-infinite")):
            vectors.score_row(row)
    for push in (vectors.score_row, SensorStream(windowed).push):
        with pytest.raises(InvalidInput, check=has_code("sensor-value-infinite")):
            push([1e300, -1e300, 2.0])
    assert math.isfinite(vectors.score_row([1e99, -1e99, 1e100]).score)
    with pytest.raises(InvalidInput, check=has_code("sensor-value-infinite")):
        vectors.score(np.array([[1.0, math.inf, 2.0]]))


def test_many_threads_score_as_one_does(vectors: SensorModel) -> None:
    rows = machine_rows(200, seed=9)
    expected = vectors.score(rows)
    wrong: list[int] = []

    def score() -> None:
        for _ in range(20):
            if not np.array_equal(vectors.score(rows), expected):
                wrong.append(1)

    threads = [threading.Thread(target=score) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_moved_threshold_leaves_the_score_as_it_is(vectors: SensorModel) -> None:
    row = [105.0, 1.6, 60.0]
    before = vectors.score_row(row)
    after = vectors.with_threshold(before.score + 1).score_row(row)
    assert (before.status, after.status) == ("anomaly", "normal")
    assert after.score == before.score
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(InvalidInput, check=has_code("sensor-threshold")):
            vectors.with_threshold(wrong)


def test_a_saved_model_scores_to_the_last_bit_like_the_trained_one(
    vectors: SensorModel, windowed: SensorModel, tmp_path: Path
) -> None:
    rows = machine_rows(50, seed=10)
    for model in (vectors, windowed):
        save_model(tmp_path / "model.npz", model)
        loaded = load_model(tmp_path / "model.npz")
        assert loaded.metadata == model.metadata
        assert np.array_equal(loaded.score(rows), model.score(rows))
        assert model_bytes(loaded) == model_bytes(model)
        assert len(model_bytes(model)) < 120_000


def opened(data: bytes) -> tuple[str, SensorModel | None]:
    try:
        return "", model_from_bytes(data, "m.npz")
    except InvalidInput as error:
        return error.code, None


def test_a_damaged_model_file_is_refused_wherever_it_is_damaged(windowed: SensorModel) -> None:
    whole = model_bytes(windowed)
    places = np.random.default_rng(0).integers(0, len(whole), 60)
    for place in (*places.tolist(), len(whole) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        code, found = opened(bytes(damaged))
        # A byte that says nothing, as a date within the archive, leaves the model as it was.
        assert code in {"sensor-model-damaged", "model-too-new"} or (found and model_bytes(found) == whole)
    for cut in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        with pytest.raises(InvalidInput) as raised:
            model_from_bytes(whole[:cut], "m.npz")
        assert raised.value.code == "sensor-model-damaged"


def rewritten(model: SensorModel, **changes: NDArray[np.generic]) -> bytes:
    with np.load(io.BytesIO(model_bytes(model)), allow_pickle=False) as loaded:
        arrays = {name: loaded[name] for name in loaded.files}
    arrays.update(changes)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_a_changed_number_is_refused(vectors: SensorModel) -> None:
    for name in ("weight_0", "center", "error_percentiles"):
        with np.load(io.BytesIO(model_bytes(vectors)), allow_pickle=False) as loaded:
            changed = loaded[name] + 1
        with pytest.raises(InvalidInput, check=has_code("sensor-model-damaged", name="m.npz")):
            model_from_bytes(rewritten(vectors, **{name: changed}), "m.npz")


class Trap:
    """Runs when it is unpickled."""

    sprung = False

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return _spring, ()


def _spring() -> str:
    Trap.sprung = True
    return ""


def test_nothing_in_a_model_file_is_ever_unpickled(vectors: SensorModel) -> None:
    trap = np.array([Trap()], dtype=object)
    # The trap works where unpickling is allowed.
    pickle.loads(pickle.dumps(Trap()))  # noqa: S301 - the test's own
    assert Trap.sprung
    Trap.sprung = False
    for name in ("weight_0", "metadata", "sha256", "another"):
        with pytest.raises(InvalidInput, check=has_code("sensor-model-damaged", name="m.npz")):
            model_from_bytes(rewritten(vectors, **{name: trap}), "m.npz")
    with pytest.raises(InvalidInput, check=has_code("model-not-supported", name="m.npz", kind="pickle")):
        model_from_bytes(pickle.dumps(Trap()), "m.npz")
    assert not Trap.sprung


def test_an_archive_that_unpacks_to_gigabytes_is_refused_unopened() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("center.npy", bytes(80 * 2**20))
    with pytest.raises(InvalidInput, check=has_code("sensor-model-damaged", name="m.npz")):
        model_from_bytes(buffer.getvalue(), "m.npz")


def with_member(model: SensorModel, name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(model_bytes(model))) as whole,
        zipfile.ZipFile(buffer, "w") as archive,
    ):
        for entry in whole.namelist():
            archive.writestr(entry, content if entry == name else whole.read(entry))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1" + 40 * b"0" + b",)}\n",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999,)}\n",
        b"{'descr': '<f8', (\n",
        b"  {'a':\n 1\n",
        b"{1: 2, 'a': 3}\n",
        b"{[]: 1}\n",
        b"\0",
    ],
)
@pytest.mark.parametrize("name", ["center.npy", "metadata.npy"])
def test_an_array_whose_header_is_none_is_refused(vectors: SensorModel, name: str, header: bytes) -> None:
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(24)
    for content in (array, b"no array at all"):
        with pytest.raises(InvalidInput) as raised:
            model_from_bytes(with_member(vectors, name, content), "m.npz")
        assert raised.value.code == "sensor-model-damaged"


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("histogram_counts", np.array(3)),
        ("histogram_counts", np.full(50, np.inf)),
        ("center", np.ones(3, np.complex128)),
        ("center", np.zeros(3, [("a", "f8")])),
        ("center", np.array(["1", "2", "3"])),
        ("weight_0", np.full((3, 8), 1e300)),
        ("metadata", np.zeros(3, [("a", "f8")])),
    ],
)
def test_numbers_of_another_type_are_refused_though_the_digest_is_right(
    vectors: SensorModel, name: str, array: NDArray[np.generic]
) -> None:
    with np.load(io.BytesIO(model_bytes(vectors)), allow_pickle=False) as loaded:
        arrays = {other: loaded[other] for other in loaded.files if other != "sha256"}
    digest = np.frombuffer(archive._digest({**arrays, name: array}), np.uint8)
    with pytest.raises(InvalidInput) as raised:
        model_from_bytes(rewritten(vectors, **{name: array, "sha256": digest}), "m.npz")
    assert raised.value.code == "sensor-model-damaged"


def test_a_model_of_a_newer_format_is_refused_as_such(vectors: SensorModel) -> None:
    text = json.dumps({**json.loads(vectors.metadata.model_dump_json()), "format": FORMAT + 1, "novelty": 1})
    data = rewritten(vectors, metadata=np.frombuffer(text.encode(), np.uint8))
    with pytest.raises(InvalidInput) as raised:
        model_from_bytes(data, "m.npz")
    assert raised.value.code == "model-too-new"


def test_a_model_that_is_not_there_is_reported(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "m.npz", "sensor-model-missing"), (tmp_path, "model-not-readable")):
        with pytest.raises(InvalidInput) as raised:
            load_model(path)
        assert raised.value.code == code


def test_scoring_a_loaded_model_imports_no_torch(vectors: SensorModel, tmp_path: Path) -> None:
    save_model(tmp_path / "model.npz", vectors)
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "events = []\n"
        "sys.addaudithook(lambda event, _: events.append(event) if event == 'pickle.find_class' else None)\n"
        "from inspection.sensor import load_model, SensorStream\n"
        "model = load_model(Path(sys.argv[1]))\n"
        "print(model.score_row([100, 2, 60]).status, SensorStream(model).push([100, 2, 60]).status, events,\n"
        "      [name for name in ('torch', 'openvino', 'cv2', 'scipy') if name in sys.modules])\n"
    )
    arguments = [sys.executable, "-c", program, str(tmp_path / "model.npz")]
    finished = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "normal normal [] []"


def test_a_stream_keeps_its_state_when_its_model_is_replaced(windowed: SensorModel) -> None:
    rows = machine_rows(60, seed=11)
    other = train(machine_rows(400, seed=2), COLUMNS, SensorTraining(window=WINDOW, seed=5)).model
    stream = SensorStream(windowed)
    for row in rows[:40].tolist():
        stream.push(row)
    stream.exchange(other)
    for row in rows[40:].tolist():
        stream.push(row)
    assert stream.last_features is not None
    assert other.windows is not None
    assert np.allclose(stream.last_features, other.windows.features(rows)[-1])
    renamed = replace(other, metadata=other.metadata.model_copy(update={"columns": ("a", "b", "c")}))
    with pytest.raises(ValueError, check=raised_in(SensorStream)):
        stream.exchange(renamed)
