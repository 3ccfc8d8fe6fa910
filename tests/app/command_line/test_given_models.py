"""What ``--model`` takes: ``FILE``, or ``NAME=FILE``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from app.command_line.chosen_models import GivenModel, given_model, given_models, measured_model
from inspection.anomaly import TrainingReport
from inspection.pipeline import anomaly_step, ready_definition, validate_definition
from tests.support.command import run

NAMES = {"default", "reference"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with files, one of which has a ``=`` in its path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run=5").mkdir()
    for name in ("m.model", "good.png", "run=5/m.model"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "name", "file"),
    [
        ("m.model", "", "m.model"),
        ("default=m.model", "default", "m.model"),
        ("default=missing.model", "default", "missing.model"),
        ("default=run=5/m.model", "default", "run=5/m.model"),
        ("run=5/m.model", "", "run=5/m.model"),
        ("folder/run=5/m.model", "", "folder/run=5/m.model"),
        ("other=good.png", "other", "good.png"),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_name_is_what_stands_before_the_first_sign_where_the_whole_is_no_file(
    text: str, name: str, file: str
) -> None:
    assert given_model(text, NAMES) == GivenModel(name, Path(file))


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (["default="], ["default="]),
        ([""], [""]),
        (["referense=good.png"], ["referense", "referense=good.png"]),
        (["referense=missing.png"], ["referense", "referense=missing.png"]),
        (["default=m.model", "m.model", "default=good.png"], ["default"]),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_cannot_be_meant_is_reported(texts: list[str], named: list[str]) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        given_models(texts, NAMES)
    assert caught.value.param_hint == "--model"
    assert re.findall("'(.*?)'", caught.value.message) == named
    # Who names a model that no step uses wants to know which names there are.
    assert (", ".join(sorted(NAMES)) in caught.value.message) == ("referense" in named)


@pytest.mark.usefixtures("here")
def test_the_model_to_measure_is_that_of_the_step_else_the_first_without_a_name() -> None:
    pipeline = validate_definition(ready_definition("aligned-anomaly"))
    step = (pipeline, anomaly_step(pipeline))
    for texts in (
        ["m.model", "good.png"],
        ["m.model", "reference=good.png"],
        ["reference=good.png", "m.model"],
        ["good.png", "default=m.model"],
    ):
        model, others = measured_model(*step, texts)
        assert model == Path("m.model")
        assert len(others) == 1
        assert "good.png" in others[0]
    with pytest.raises(typer.BadParameter):
        measured_model(*step, ["reference=good.png"])


def test_a_model_that_no_step_uses_is_not_passed_over_in_silence(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path
) -> None:
    images = parts / "test" / "good"
    code, out, reported = run(capsys, "inspect", "--pipeline", "codes", "--model", report.path, images)
    assert (code, out) == (2, "")
    # No name is asked for: there is none that could be given.
    assert ("--model" in reported, "NAME=FILE" in reported) == (True, False)
    assert run(capsys, "inspect", "--pipeline", "codes", images)[0] == 0


def test_a_lone_model_may_have_its_name_or_a_sign_in_its_path(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    place = tmp_path / "run=5" / "m.model"
    place.parent.mkdir()
    place.write_bytes(report.path.read_bytes())
    image = parts / "test" / "scratch" / "800.png"
    for text in (place, f"default={place}"):
        code, printed, _ = run(capsys, "inspect", "--model", text, image)
        assert (code, "800.png" in printed) == (0, True)
