"""What is wrong with a model's description, with data or with a checkpoint is reported in the reader's language."""

import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.command_line import main
from inspection.detection.data.dataset import read_detection_data
from inspection.detection.model_file.loading import load_detection_model
from inspection.detection.training.environment import quiet_environment
from inspection.runtime.openvino_import import openvino as ov
from inspection.runtime.openvino_import import ops
from models.errors import UserFacingError
from tests.support.detector_files import YOLO, graph_that_says
from tests.support.drawn_detections import draw_detections
from tests.support.messages import says

# Names of formats and of entries in files, which no language translates.
TERMS = {"imgsz", "names", "mean_values", "scale_values"}
LONG = b"x" * 300


def reported(doing: Callable[[], object]) -> tuple[str, str]:
    """The detail of what is refused in English and in Japanese, without paths."""
    with pytest.raises(UserFacingError) as caught:
        doing()
    english, japanese = (re.sub(r"\S*/[^\s:]*", "", caught.value.text(language).detail) for language in ("en", "ja"))
    return english, japanese


def english_words(text: str) -> set[str]:
    return set(re.findall(r"(?<![A-Za-z.])[a-z][a-z_]{2,}", text.replace("x" * 20, ""))) - TERMS


def both_say(texts: tuple[str, str], code: str, **values: object) -> bool:
    """Return whether the English text and the Japanese one each hold the reason of a code, with these values."""
    return says(texts[0], code, "en", **values) and says(texts[1], code, "ja", **values)


@pytest.mark.parametrize(
    ("metadata", "code", "values"),
    [
        (b"task: [\n", "detector-yaml-place", {"line": 2, "column": 1}),
        (b"task: \xff\n", "detector-yaml-invalid", {}),
        (b"made: 2024-02-30\ntask: detect\n", "detector-yaml-invalid", {}),
        (b"just a text", "detector-yaml-values", {}),
        (b"task: detect\nnames: {0: a, 7: b}\n", "detector-metadata-numbers", {}),
        (b"task: detect\nnames: [a, ' ']\n", "detector-metadata-empty-name", {}),
        (b"task: detect\nnames: [a, " + LONG + b"]\n", "detector-metadata-long-name", {}),
        (b'task: detect\nnames: [a, "x\\e[2J"]\n', "detector-metadata-odd-name", {}),
        (b"task: detect\nnames: [a, b]\nimgsz: [-5, 32]\n", "detector-metadata-size", {}),
        (b"x: " + b" " * (1 << 22), "detector-text-large", {"most": 1 << 22}),
    ],
)
def test_metadata_that_make_no_sense_are_reported_in_japanese_too(
    tmp_path: Path, metadata: bytes, code: str, values: dict[str, object]
) -> None:
    folder = graph_that_says(YOLO, tmp_path / "m")
    (folder / "metadata.yaml").write_bytes(metadata)
    texts = reported(lambda: load_detection_model(folder))
    assert both_say(texts, code, **values), texts
    assert english_words(texts[1]) == set(), texts[1]


@pytest.mark.parametrize(
    ("labels", "code"),
    [(b"a\n\xff\n", "detector-text-not-utf8"), (b"a\n" + LONG + b"\n", "detector-metadata-long-name")],
)
def test_labels_that_make_no_sense_are_reported_in_japanese_too(tmp_path: Path, labels: bytes, code: str) -> None:
    folder = graph_that_says(YOLO, tmp_path / "m", "made: by hand\n")
    (folder / "labels.txt").write_bytes(labels)
    texts = reported(lambda: load_detection_model(folder / "graph.xml"))
    assert both_say(texts, code), texts
    assert english_words(texts[1].replace("graph.xml", "")) == set(), texts[1]


@pytest.mark.parametrize("values", ["1,x,3", "1,2", "1,2,3,4"])
def test_other_than_one_or_three_channel_values_are_reported_in_japanese_too(tmp_path: Path, values: str) -> None:
    image = ops.parameter([1, 3, 8, 8], np.float32)
    graph = ov.Model([ops.softmax(ops.reduce_mean(image, ops.constant(np.array([2, 3]))), 1)], [image], "c")
    graph.set_rt_info(values, ["model_info", "mean_values"])
    ov.save_model(graph, tmp_path / "c.xml", compress_to_fp16=False)
    in_english, in_japanese = reported(lambda: load_detection_model(tmp_path))
    assert says(in_english, "detector-metadata-three", value=repr(values))
    assert english_words(in_japanese) == set(), in_japanese


def test_a_graph_of_two_inputs_or_outputs_is_reported_in_japanese_too(tmp_path: Path) -> None:
    first, second = (ops.parameter([1, 3, 8, 8], np.float32) for _ in range(2))
    for name, graph in (
        ("inputs", ov.Model([ops.add(first, second)], [first, second], "i")),
        ("outputs", ov.Model([ops.relu(first), ops.abs(first)], [first], "o")),
    ):
        ov.save_model(graph, tmp_path / "two.xml", compress_to_fp16=False)
        in_english, in_japanese = reported(partial(load_detection_model, tmp_path / "two.xml"))
        for language, text in (("en", in_english), ("ja", in_japanese)):
            assert says(text, f"detector-{name}", language, count=2)
        assert name not in in_japanese


@pytest.mark.parametrize("content", [b"train: [\n", b"[1]", b"train: \xff\n"])
def test_a_description_of_data_that_makes_no_sense_is_reported_in_japanese_too(tmp_path: Path, content: bytes) -> None:
    described = draw_detections(tmp_path)
    described.write_bytes(content)
    _, in_japanese = reported(lambda: read_detection_data(described))
    assert english_words(in_japanese) == set(), in_japanese


@pytest.mark.slow
def test_a_checkpoint_of_another_task_is_rejected_with_advice(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    described = draw_detections(tmp_path / "data")
    program = "import sys\nfrom ultralytics import YOLO\nYOLO('yolo11n-seg.yaml').save(sys.argv[1])\n"
    checkpoint = tmp_path / "seg.pt"
    subprocess.run(
        [sys.executable, "-c", program, str(checkpoint)],
        env=quiet_environment(tmp_path / "library", 1),
        check=True,
        capture_output=True,
    )
    arguments = ["--data", described, "--model", checkpoint, "--out", tmp_path / "m.model", "--imgsz", 32]
    with pytest.raises(SystemExit) as ended:
        main(["train", "detector", *map(str, arguments)])
    err = " ".join(capsys.readouterr().err.split())
    assert ended.value.code == 1
    assert says(err, "detector-checkpoint-task")
    assert says(err, "detector-checkpoint-task", member="advice")
