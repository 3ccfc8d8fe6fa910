import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inspection.anomaly import Backbone, convert_in_own_process, find_backbone
from inspection.anomaly.backbone.efficientnet import fold_batch_norm
from inspection.anomaly.features import FeatureExtractor
from inspection.anomaly.preparation import prepare
from inspection.model_library.catalogue import list_backbones
from inspection.runtime.graphs import serialise
from inspection.runtime.openvino_import import openvino, ops
from inspection.runtime.subprocesses import module_command
from models.errors import InvalidInput, Unavailable


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return convert_in_own_process("efficientnet-lite0", tmp_path_factory.mktemp("backbones"))


@pytest.mark.slow
def test_a_converted_backbone_computes_what_torch_does(converted: Backbone) -> None:
    assert 0 < converted.parity <= 1e-4
    assert find_backbone("efficientnet-lite0", converted.graph.parent) == converted


@pytest.mark.slow
def test_converting_again_gives_the_same_files(converted: Backbone, tmp_path: Path) -> None:
    assert convert_in_own_process("efficientnet-lite0", tmp_path).digest == converted.digest


def test_its_weights_keep_full_precision(converted: Backbone) -> None:
    assert converted.graph.read_text().count('element_type="f16"') == 0
    assert converted.weights.stat().st_size > 5_000_000


@pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 160), (256, 256)])
def test_features_come_on_the_grid_of_sixteen_for_every_size(converted: Backbone, height: int, width: int) -> None:
    extractor = FeatureExtractor(converted)
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    grid = extractor.grid(prepare(pixels, 1.0))
    assert grid.shape[:2] == (height // 16, width // 16)
    assert grid.std(axis=(0, 1)).min() >= 0
    assert np.isfinite(grid).all()


def test_a_changed_file_is_refused(converted: Backbone, tmp_path: Path) -> None:
    for path in (converted.graph, converted.weights, converted.graph.with_suffix(".json")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert find_backbone("efficientnet-lite0", tmp_path).digest == converted.digest
    weights = bytearray(converted.weights.read_bytes())
    weights[1000] ^= 1
    (tmp_path / converted.weights.name).write_bytes(weights)
    with pytest.raises(Unavailable) as caught:
        find_backbone("efficientnet-lite0", tmp_path)
    assert caught.value.code == "backbone-damaged"


@pytest.mark.parametrize("changed", [{"parity": "none"}, {"parity": None}, {"digest": 5}])
def test_a_manifest_that_makes_no_sense_is_reported_as_damage(
    converted: Backbone, tmp_path: Path, changed: dict[str, object]
) -> None:
    for path in (converted.graph, converted.weights):
        shutil.copy(path, tmp_path)
    manifest = json.loads(converted.graph.with_suffix(".json").read_text(encoding="utf-8"))
    (tmp_path / f"{converted.name}.json").write_text(json.dumps({**manifest, **changed}), encoding="utf-8")
    with pytest.raises(Unavailable) as caught:
        find_backbone(converted.name, tmp_path)
    assert caught.value.code == "backbone-damaged"


def test_the_list_shows_which_are_ready(converted: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEFLOW_BACKBONES", str(converted.graph.parent))
    states = {found["name"]: found["state"] for found in list_backbones()}
    assert states == {"efficientnet-lite0": "ready", "efficientnet-lite2": "missing"}


def test_an_unknown_backbone_is_reported_with_those_there_are() -> None:
    with pytest.raises(InvalidInput) as caught:
        find_backbone("resnet-9000")
    assert (caught.value.code, caught.value.values["name"]) == ("backbone-unknown", "resnet-9000")
    assert caught.value.values["known"] == "efficientnet-lite0, efficientnet-lite2"


def test_a_conversion_that_fails_reports_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch on this computer', name='torch')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(Unavailable) as caught:
        convert_in_own_process("efficientnet-lite0", tmp_path / "backbones")
    assert caught.value.code == "backbone-packages-missing"
    assert caught.value.values == {"name": "efficientnet-lite0", "package": "torch"}
    assert not (tmp_path / "backbones").exists()


def test_a_conversion_that_fails_reports_the_reason_in_whatever_encoding_it_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('none', name='トーチ')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONIOENCODING", "cp932")
    with pytest.raises(Unavailable) as caught:
        convert_in_own_process("efficientnet-lite0", tmp_path / "backbones")
    assert (caught.value.code, caught.value.values["package"]) == ("backbone-packages-missing", "トーチ")


def test_a_conversion_that_breaks_reports_the_last_words_of_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise RuntimeError('no such instruction')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(Unavailable) as caught:
        convert_in_own_process("efficientnet-lite0", tmp_path / "backbones")
    assert caught.value.code == "backbone-conversion-failed"
    assert caught.value.values["reason"] == "RuntimeError: no such instruction"


def test_a_process_of_the_product_speaks_utf8_whatever_the_system_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "speaks.py").write_text("print('部品')\n", encoding="utf-8")
    for name, value in {"PYTHONPATH": str(tmp_path), "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LC_ALL", "POSIX")
    finished = subprocess.run(module_command("speaks"), capture_output=True, check=True)
    assert finished.stdout.decode() == "部品\n"


def test_a_model_that_cannot_be_written_to_a_full_disk_reports_it() -> None:
    program = (
        "import resource, signal, sys\n"
        "import numpy as np\n"
        "from inspection.anomaly.backbone.conversion import serialise\n"
        "from inspection.runtime.openvino_import import openvino, ops\n"
        "from models.errors import Unavailable\n"
        "given = ops.parameter([1, 3000], np.float32)\n"
        "added = ops.add(given, ops.constant(np.ones((1, 3000), np.float32)))\n"
        "model = openvino.Model([added], [given], 'm')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))\n"
        "try:\n"
        "    serialise(model)\n"
        "except Unavailable as error:\n"
        "    print(error.code)\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "file-disk-full"


def test_what_openvino_cannot_write_although_there_is_room_is_no_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ops.parameter([1, 3], np.float32)
    model = openvino.Model([ops.add(given, ops.constant(np.ones((1, 3), np.float32)))], [given], "m")

    failure = RuntimeError("Check 'false' failed: unsupported")

    def fails(*_: object) -> None:
        raise failure

    monkeypatch.setattr(openvino, "serialize", fails)
    with pytest.raises(RuntimeError, check=lambda error: error is failure):
        serialise(model)


def test_an_unwritable_backbone_folder_is_reported_before_the_conversion(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable) as caught:
        convert_in_own_process("efficientnet-lite0", tmp_path / "file")
    assert caught.value.code == "file-not-written"


@pytest.mark.slow
def test_conversion_stays_out_of_the_process_that_asks(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom inspection.anomaly import convert_in_own_process\n"
        "convert_in_own_process('efficientnet-lite0', Path(sys.argv[1]))\nprint('torch' in sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == "False"


def test_folding_a_normalisation_changes_nothing_but_the_number_of_steps() -> None:
    generator = np.random.default_rng(0)
    weight = generator.standard_normal((5, 3, 1, 1)).astype(np.float32)
    gamma, beta, mean = (generator.standard_normal(5).astype(np.float32) for _ in range(3))
    variance = generator.uniform(0.1, 2, 5).astype(np.float32)
    folded, bias = fold_batch_norm(weight, gamma, beta, mean, variance, 1e-3)
    values = generator.standard_normal((3, 7)).astype(np.float32)
    plain = weight[:, :, 0, 0] @ values
    normalised = (plain - mean[:, None]) / np.sqrt(variance[:, None] + 1e-3) * gamma[:, None] + beta[:, None]
    assert np.allclose(folded[:, :, 0, 0] @ values + bias[:, None], normalised, atol=1e-5)
