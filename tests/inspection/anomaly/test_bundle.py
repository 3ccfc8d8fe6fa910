import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspection.anomaly import (
    AnomalyModel,
    TrainingReport,
    bundle_digest,
    load_bundle,
    read_bundle,
    read_manifest,
)
from inspection.anomaly.bundle import GRAPH, WEIGHTS, pack, unpack
from inspection.anomaly.image_graph import ImageGraph
from inspection.anomaly.manifest import FORMAT_VERSION
from inspection.anomaly.preparation import PATCH, prepare
from inspection.imaging.files import read_image
from inspection.model_files.archive import MANIFEST, archive_kind
from inspection.runtime.compilation import core
from inspection.runtime.graphs import serialise, weights_tensor
from inspection.runtime.openvino_import import openvino, ops
from models.errors import InvalidInput, NotFound


def code_of(data: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        unpack(data, "x.model")
    assert caught.value.values["name"] == "x.model"
    return caught.value.code


def repacked(data: bytes, **changes: Any) -> bytes:
    """The same file with other members or other fields of the manifest."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members[MANIFEST])
    for name, value in changes.items():
        if isinstance(value, bytes):
            members[name.replace("_", ".")] = value
        else:
            manifest[name] = value
    members[MANIFEST] = json.dumps(manifest).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, value in members.items():
            archive.writestr(name, value)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def tiny(report: TrainingReport) -> bytes:
    """A model file with small members, for reading alone."""
    return pack(read_manifest(report.path), b"<net/>" * 20, bytes(range(256)))


def test_a_model_file_is_self_contained(report: TrainingReport) -> None:
    bundle = read_bundle(report.path)
    assert bundle.digest == report.digest == bundle_digest(report.path)
    assert bundle.manifest == report.manifest
    with zipfile.ZipFile(report.path) as archive:
        assert archive.namelist() == [MANIFEST, GRAPH, WEIGHTS]
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
    assert bundle.manifest.versions.keys() == {"imageflow-station", "numpy", "opencv-python", "openvino"}


def test_a_truncated_file_is_refused(tiny: bytes) -> None:
    for kept in (0, 1, 100, len(tiny) // 2, len(tiny) - 1):
        assert code_of(tiny[:kept]) == "model-damaged"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), flip=st.integers(1, 255))
def test_a_changed_byte_is_refused_or_changes_nothing_that_is_used(tiny: bytes, place: int, flip: int) -> None:
    damaged = bytearray(tiny)
    damaged[place % len(tiny)] ^= flip
    whole = unpack(tiny, "x.model")
    try:
        found = unpack(bytes(damaged), "x.model")
    except InvalidInput:
        return
    assert (found.manifest, found.graph, found.weights) == (whole.manifest, whole.graph, whole.weights)
    assert found.digest != whole.digest


def test_other_weights_under_the_old_manifest_are_refused(tiny: bytes) -> None:
    assert code_of(repacked(tiny, model_bin=b"other")) == "model-damaged"
    assert code_of(repacked(tiny, members={})) == "model-damaged"


def test_a_newer_format_is_refused_as_such(tiny: bytes) -> None:
    assert code_of(repacked(tiny, format_version=FORMAT_VERSION + 1, kind=["something", "new"])) == "model-too-new"


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": None},
        {"format_version": "x"},
        {"format_version": 0},
        {"scores": "none"},
        {"scores": [1.0]},
        {"scores": [1.0, float("nan")]},
        {"probes": [float("inf")]},
        {"preprocessing": {"scale": 1.0, "median_height": 10**6, "median_width": 10**6}},
        {"preprocessing": {"scale": 1e308, "median_height": 256, "median_width": 256}},
        {"preprocessing": {"scale": 10.0, "median_height": 256, "median_width": 256}},
        {"preprocessing": {"scale": 1e-3, "median_height": 1, "median_width": 10**8}},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(tiny: bytes, change: dict[str, Any]) -> None:
    assert code_of(repacked(tiny, **change)) == "model-damaged"


def test_what_is_no_network_is_refused_when_it_is_loaded(tiny: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.model"
    path.write_bytes(tiny)
    with pytest.raises(InvalidInput) as caught:
        load_bundle(path)
    assert caught.value.code == "model-damaged"


def test_a_missing_file_has_another_code_than_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_bundle(tmp_path / "none.model")
    with pytest.raises(InvalidInput) as caught:
        load_bundle(tmp_path)
    assert caught.value.code == "model-not-readable"


def test_packing_twice_gives_the_same_bytes(tiny: bytes) -> None:
    again = unpack(tiny, "x.model")
    assert pack(again.manifest, again.graph, again.weights) == tiny


def zipped(members: dict[str, bytes], compression: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, value in members.items():
            archive.writestr(name, value)
    return buffer.getvalue()


def members_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compressed_part_is_refused_before_it_fills_the_memory(tiny: bytes, tmp_path: Path, compression: int) -> None:
    packed = zipped(members_of(tiny), compression)
    assert code_of(packed) == "model-damaged"
    (tmp_path / "x.model").write_bytes(packed)
    assert archive_kind(tmp_path / "x.model") is None


def test_every_flipped_bit_of_the_entries_is_refused_or_harmless(tiny: bytes, tmp_path: Path) -> None:
    directory = tiny.rindex(b"PK\x01\x02" + tiny[tiny.rindex(b"PK\x01\x02") + 4 :][:2])
    path = tmp_path / "x.model"
    for place in range(directory, len(tiny)):
        for bit in range(8):
            damaged = bytearray(tiny)
            damaged[place] ^= 1 << bit
            with suppress(InvalidInput):
                unpack(bytes(damaged), "x.model")
            path.write_bytes(damaged)
            assert archive_kind(path) in {None, "patchcore"}


def test_a_manifest_too_large_to_be_one_is_refused_unread(tiny: bytes, tmp_path: Path) -> None:
    members = members_of(tiny)
    members[MANIFEST] += b" " * (16 * 1024**2)
    large = zipped(members, zipfile.ZIP_STORED)
    assert code_of(large) == "model-damaged"
    (tmp_path / "x.model").write_bytes(large)
    assert archive_kind(tmp_path / "x.model") is None


def test_parts_that_lie_on_one_another_are_refused(tiny: bytes) -> None:
    members = members_of(tiny)
    weights = members.pop(WEIGHTS)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, value in members.items():
            archive.writestr(name, value)
        archive.writestr(WEIGHTS, weights)
        entry = archive.getinfo(WEIGHTS)
        archive.filelist.extend([entry] * 200)
    assert code_of(buffer.getvalue()) == "model-damaged"


def made(report: TrainingReport, path: Path, name: str, node: Callable[[Any], Any]) -> Path:
    """A whole and unchanged model file with another network."""
    image = ops.parameter(openvino.PartialShape([1, 3, -1, -1]), openvino.Type.f32, name="image")
    result = ops.result(node(image))
    result.output(0).set_names({name})
    path.write_bytes(pack(read_manifest(report.path), *serialise(openvino.Model([result], [image], "other"))))
    return path


def cells(image: Any, factor: float = 1.0) -> Any:
    """The mean brightness of each cell of the patch grid."""
    grey = ops.reduce_mean(image, np.array([1], np.int64), keep_dims=True)
    pooled = ops.avg_pool(grey, [16, 16], [0, 0], [0, 0], [16, 16], False)
    return ops.multiply(pooled, ops.constant(np.array([factor], np.float32)))


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("features", cells),
        ("map", lambda image: ops.reduce_mean(image, np.array([1, 2, 3], np.int64))),
        ("map", lambda image: ops.reduce_mean(image, np.array([1, 2, 3], np.int64), keep_dims=True)),
    ],
    ids=["another output", "no grid", "a grid of another size"],
)
def test_a_network_that_gives_no_anomaly_map_is_refused_when_it_is_loaded(
    report: TrainingReport, tmp_path: Path, name: str, node: Callable[[Any], Any]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_bundle(made(report, tmp_path / "x.model", name, node))
    assert caught.value.code == "model-damaged"


def test_a_graph_of_the_usual_size_scores_as_the_one_for_any_size(
    report: TrainingReport, good_paths: list[Path]
) -> None:
    bundle = read_bundle(report.path)
    graph = core().read_model(bundle.graph, weights_tensor(bundle.weights))
    preprocessing = bundle.manifest.preprocessing
    tensors = [prepare(read_image(path), preprocessing.scale).tensor for path in good_paths[:3]]
    height, width = tensors[0].shape[2:]
    fixed, any_size = ImageGraph(graph, (height, width), threads=2), ImageGraph(graph, (32, 32), threads=2)
    wider = np.concatenate([tensors[0], tensors[1]], axis=3)
    for tensor in (*tensors, wider, tensors[0]):
        found = fixed.infer(tensor)["map"].copy()
        np.testing.assert_array_equal(found, any_size.infer(tensor)["map"])
        assert found.shape[2:] == (tensor.shape[2] // PATCH, tensor.shape[3] // PATCH)


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_network_that_gives_no_numbers_judges_nothing(report: TrainingReport, tmp_path: Path, factor: float) -> None:
    path = made(report, tmp_path / "x.model", "map", lambda image: cells(image, factor))
    with pytest.raises(InvalidInput) as caught:
        AnomalyModel(read_bundle(path), path.name).score(np.eye(64, dtype=np.uint8) * 255)
    assert caught.value.code == "model-not-finite"
    assert caught.value.values["name"] == "x.model"


def test_the_preprocessing_of_an_earlier_file_is_read() -> None:
    manifest = read_manifest(Path(__file__).parent / "formats" / "format-2-view.model")
    record = manifest.preprocessing_record
    assert record is not None
    assert (record.components, record.digest[:8]) == (("crop",), "5f8aa341")
    assert manifest.model_dump(mode="json")["view"]["digest"] == record.digest
