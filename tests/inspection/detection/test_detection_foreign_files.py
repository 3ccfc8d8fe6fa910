"""Model files that somebody else made, by mistake or on purpose not what they say they are."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.command_line import main
from inspection.detection.graph.metadata import class_names
from inspection.detection.model.classifier import Classifier
from inspection.detection.model.detector import Detector
from inspection.detection.model.settings import DetectionSettings
from inspection.detection.model_file.loading import load_detection_model
from inspection.detection.reasons import InvalidMetadataError
from inspection.imaging.files import encode_png
from inspection.runtime.openvino_import import openvino as ov
from models.errors import InvalidInput, UserFacingError
from tests.support.command import run
from tests.support.detector_files import NOTHING, YOLO, graph_that_says, with_description
from tests.support.messages import says

END_TO_END = np.zeros((1, 3, 6), np.float32)
END_TO_END[0, :2] = [[1, 2, 10, 12, 0.5, 0], [3, 2, 10, 12, 0.9, 1]]
ENDS = "task: detect\nend2end: true\nnames: [a, b]\n"


def refused(path: Path) -> str:
    with pytest.raises(UserFacingError) as caught:
        load_detection_model(path)
    return caught.value.code


def changed(array: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    copied = array.copy()
    copied[place] = value
    return copied


def test_a_file_whose_description_is_the_graphs_own_runs(tmp_path: Path) -> None:
    model = load_detection_model(with_description(tmp_path))
    assert [found.class_name for found in model.detect(NOTHING)] == ["a"]


@pytest.mark.parametrize(
    "description",
    [
        {"height": 64, "width": 64},
        {"layout": "NHWC"},
        {"names": ["a"]},
        {"names": ["a", "b", "c"]},
        {"names": ["a", ""]},
        {"names": ["a", "b\x1b[2J"]},
        {"names": ["a", "b" * 300]},
        {"head": "classifier"},
        {"head": "yolox"},
        {"head": "end-to-end"},
        {"scale": [0, 255, 255]},
        {"mean": [float("nan"), 0, 0]},
    ],
    ids=str,
)
def test_a_file_that_describes_another_graph_than_it_holds_is_refused(
    tmp_path: Path, description: dict[str, Any]
) -> None:
    assert refused(with_description(tmp_path, **description)) == "model-damaged"


@pytest.mark.parametrize(
    ("output", "metadata"),
    [
        (changed(YOLO, (0, 0, 0), np.nan), "task: detect\nnames: [a, b]\n"),
        (changed(YOLO, (0, 5, 3), np.nan), "task: detect\nnames: [a, b]\n"),
        (changed(YOLO, (0, 4, 3), np.inf), "task: detect\nnames: [a, b]\n"),
        (changed(END_TO_END, (0, 1, 0), np.nan), ENDS),
        (changed(END_TO_END, (0, 1, 4), np.nan), ENDS),
        (changed(END_TO_END, (0, 1, 5), np.nan), ENDS),
        (np.array([[np.nan, 0.5]]), "task: classify\nnames: [a, b]\n"),
    ],
)
def test_a_model_with_nonfinite_output_is_rejected_instead_of_finding_nothing(
    tmp_path: Path, output: np.ndarray, metadata: str
) -> None:
    assert refused(graph_that_says(output, tmp_path / "m", metadata)) == "detector-not-finite"


@pytest.mark.parametrize("number", [-1, 2])
def test_a_class_number_outside_the_names_is_refused(tmp_path: Path, number: int) -> None:
    output = changed(END_TO_END, (0, 1, 5), number)
    assert refused(graph_that_says(output, tmp_path / "m", ENDS)) == "detector-names"


def test_an_unsorted_end_to_end_output_still_yields_the_highest_scores(tmp_path: Path) -> None:
    model = load_detection_model(graph_that_says(END_TO_END, tmp_path / "m", ENDS))
    assert [found.class_name for found in model.detect(NOTHING)] == ["b", "a"]
    assert [found.class_name for found in model.detect(NOTHING, DetectionSettings(max_detections=1))] == ["b"]


def test_an_excluded_class_is_not_reported_at_any_confidence(tmp_path: Path) -> None:
    path = graph_that_says(changed(END_TO_END, (0, 1, 4), 3.5), tmp_path / "m", ENDS)
    model = load_detection_model(path)
    found = model.detect(NOTHING, DetectionSettings(classes=frozenset({"a"})))
    assert [item.class_name for item in found] == ["a"]
    assert model.detect(NOTHING, DetectionSettings(classes=frozenset())) == []


def test_a_classifier_of_no_wanted_class_reports_none(tmp_path: Path) -> None:
    model = load_detection_model(graph_that_says(np.array([[0.1, 0.9]]), tmp_path / "m", "names: [a, b]\n"))
    assert isinstance(model, Classifier)
    assert model.detect(NOTHING, DetectionSettings(classes=frozenset())) == []


@pytest.mark.parametrize(
    "metadata",
    [
        "task: detect\nnames: [a, b]\nimgsz: [a, b]\n",
        "task: detect\nnames: [a, b]\nimgsz: [.inf, 32]\n",
        "task: detect\nnames: [a, b]\nimgsz: [-5, 32]\n",
        "task: detect\nnames: [a, b]\nimgsz: [1000000000000, 32]\n",
        "task: detect\nnames: '{[1]: 2}'\n",
        "task: detect\nnames: [a, '']\n",
        "task: detect\nnames: [a, {}]\n",
        'task: detect\nnames: [a, "b\\e[2J"]\n',
        "x: &x [a, a, a, a]\ny: &y [*x, *x, *x, *x]\ntask: detect\nnames: [*y, *y]\n",
    ],
)
def test_metadata_that_make_no_sense_are_refused_by_name(tmp_path: Path, metadata: str) -> None:
    assert refused(graph_that_says(YOLO, tmp_path / "m", metadata)) == "detector-metadata"


def test_model_information_that_is_no_section_is_none(tmp_path: Path) -> None:
    folder = graph_that_says(YOLO, tmp_path / "m")
    model = ov.Core().read_model(folder / "graph.xml")
    model.set_rt_info("text", ["model_info"])
    ov.save_model(model, folder / "other.xml", compress_to_fp16=False)
    assert isinstance(load_detection_model(folder / "other.xml"), Detector)


def test_the_digest_of_a_graph_given_by_file_follows_the_names_beside_it(tmp_path: Path) -> None:
    graph = graph_that_says(YOLO, tmp_path / "m") / "graph.xml"
    digests = [load_detection_model(graph).digest]
    (graph.parent / "metadata.yaml").write_text("task: detect\nnames: [b, a]\n")
    digests.append(load_detection_model(graph).digest)
    (graph.parent / "labels.txt").write_text("a\nb\n")
    digests.append(load_detection_model(graph).digest)
    assert len(set(digests)) == 3


def refused_names(value: object) -> str:
    with pytest.raises(InvalidMetadataError) as caught:
        class_names(value)
    return caught.value.reason.code


def test_class_names_are_refused_unless_listed_or_numbered() -> None:
    assert class_names(["a", 2]) == ("a", "2")
    assert class_names({1: "b", 0: "a"}) == class_names({"0": "a", "1": "b"}) == ("a", "b")
    for wrong in (None, [], {}, "ab", {0: "a", 2: "b"}, {0: "a", "0": "b"}):
        assert refused_names(wrong) == "detector-metadata-numbers"
    for wrong in ([["a"]], [None], [""]):
        assert refused_names(wrong) == "detector-metadata-empty-name"
    assert refused_names(["a\nb"]) == "detector-metadata-odd-name"


def test_a_detector_whose_folder_cannot_be_listed_is_reported_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_path: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", forbidden)
    with pytest.raises(InvalidInput) as caught:
        load_detection_model(tmp_path)
    assert caught.value.code == "model-not-readable"
    assert caught.value.values["reason"] == "Permission denied"


def test_models_of_two_kinds_are_not_verified_against_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def verify(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["model", "verify", *map(str, arguments)])
        reported = capsys.readouterr()
        return int(ended.value.code or 0), reported.out, reported.err

    detector, anomaly = with_description(tmp_path), Path(__file__).parents[1] / "anomaly" / "formats" / "format-1.model"
    for first, second in ((detector, anomaly), (anomaly, detector)):
        code, _, err = verify(first, "--against", second)
        assert (code, "--against" in err) == (2, True)
    answers = [verify(path, "--against", path, "--json") for path in (detector, anomaly)]
    assert [code for code, _, _ in answers] == [0, 0]
    assert len({tuple(json.loads(out)) for _, out, _ in answers}) == 1


def test_the_command_refuses_criteria_of_a_class_that_the_model_lacks(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model = graph_that_says(YOLO, tmp_path / "m", "task: detect\nnames: [off, on]\n")
    (tmp_path / "a.png").write_bytes(encode_png(NOTHING))
    rule = tmp_path / "lot.json"
    order = ("inspect", "--pipeline", "detection", "--model", model, "--criteria", rule, tmp_path / "a.png")
    rule.write_text('{"max_detections": {"False": 0}}')
    code, out, err = run(capsys, *order)
    assert (code, out) == (1, "")
    assert says(err, "criteria-class-unknown", value="False", known="off, on, anomaly")
    rule.write_text('{"max_detections": {"off": 0}}')
    code, out, _ = run(capsys, *order)
    assert (code, out[:2]) == (0, "NG")
