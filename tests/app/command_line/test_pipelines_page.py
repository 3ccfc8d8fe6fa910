"""What docs/pipelines.md says holds: its examples are tried, its table is that of the components."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspection.components import components
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.judging.criteria import Criteria
from inspection.measuring.calibration import from_checkerboard
from inspection.pipeline import PipelineDefinition, Runner, ready_names, validate_definition
from inspection.runs.frame_loop import Inspector, inspect_files
from inspection.runs.named_files import FileToInspect
from models.results import InspectionResult
from models.states import Verdict
from models.storage import write_atomically
from tests.support.calibration_board import board
from tests.support.codes import draw_code

PAGE = Path(__file__).resolve().parents[3] / "docs" / "pipelines.md"


def blocks() -> dict[str, dict[str, Any]]:
    """Return the JSON examples of the page by the name of the file named before each in bold."""
    found = re.findall(r"\*\*`([a-z-]+\.json)`\*\*[^\n]*\n\n```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return {name: json.loads(text) for name, text in found}


def rows() -> list[str]:
    """Return the table of parameters as the components have it."""
    made = []
    for component in components().values():
        for name, schema in component.schema()["properties"].items():
            made.append(f"| `{component.name}` | `{name}` | {_default(schema)} | {schema['description']} |")
    return made


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    if default in (None, "", []):
        return "–"
    if isinstance(default, list):
        return "all"
    return f"`{json.dumps(default)}`"


def plate(bore: int = 40, text: str = "LOT-0815") -> Pixels:
    """A dark plate of 320 × 160 pixels with a bore, three pins below it, a red field and a QR code."""
    pixels = np.full((480, 640, 3), 210, np.uint8)
    cv2.rectangle(pixels, (60, 100), (379, 259), (40, 40, 40), -1)
    y, x = np.mgrid[:480, :640]
    covered = np.clip(bore + 0.5 - np.hypot(x - 220, y - 180), 0, 1)
    pixels = np.rint(pixels + covered[..., None] * (210.0 - pixels)).astype(np.uint8)
    for left in (100, 200, 300):
        cv2.rectangle(pixels, (left, 340), (left + 29, 379), (40, 40, 40), -1)
    pixels[40:140, 440:600] = (192, 48, 32)
    if text:
        code = draw_code("qr")
        pixels[200 : 200 + code.shape[0], 440 : 440 + code.shape[1]] = code[..., None]
    return pixels


def tried(folder: Path, pixels: Pixels) -> InspectionResult:
    write_atomically(folder / "plate.png", encode_png(pixels))
    runner = Runner(validate_definition(PipelineDefinition.parse(blocks()["plate.json"])))
    rule = Criteria.model_validate(blocks()["lot.json"])
    (found,) = inspect_files(Inspector(runner, rule), [FileToInspect(folder / "plate.png", Path("plate.png"))])
    assert found.result is not None
    return found.result


def test_every_json_example_is_a_valid_pipeline_or_valid_criteria() -> None:
    found = blocks()
    assert len(found) == PAGE.read_text().count("```json") >= 4
    for value in found.values():
        if "steps" in value:
            validate_definition(PipelineDefinition.parse(value))
        else:
            assert Criteria.model_validate(value) != Criteria()


def test_the_table_of_parameters_is_that_of_the_components() -> None:
    written = [line for line in PAGE.read_text().splitlines() if re.match(r"\| `\w+` \| `\w+` \|", line)]
    assert written == rows()


def test_the_page_names_all_that_a_pipeline_can_be_made_of() -> None:
    page = PAGE.read_text()
    for name in (*components(), *ready_names(), *Criteria.model_fields):
        assert f"`{name}`" in page, name


def test_the_measuring_example_is_judged_as_the_page_says(tmp_path: Path) -> None:
    steps = {step["id"]: step for step in blocks()["plate.json"]["steps"]}
    calibrated = from_checkerboard(board(), 8, 6, 5.0)
    assert steps["width"]["parameters"]["mm_per_pixel"] == pytest.approx(calibrated.x, rel=1e-3)
    result = tried(tmp_path, plate())
    assert (result.overall_result, result.reasons) == (Verdict.OK, [])
    values = {found.name: found.value for found in result.measurements}
    assert values == {"width": pytest.approx(40, abs=0.05), "bore": pytest.approx(10, abs=0.05), "pins": 3}


@pytest.mark.parametrize(
    ("pixels", "reason"), [(plate(bore=44), "measurement-high:bore"), (plate(text=""), "code-missing:lot")]
)
def test_the_measuring_example_finds_what_is_wrong(tmp_path: Path, pixels: Pixels, reason: str) -> None:
    assert tried(tmp_path, pixels).reasons == [reason]
