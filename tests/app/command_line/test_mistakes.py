from pathlib import Path

import pytest

from tests.support.command import run


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["inspect", "x.png"], 2),
        (["inspect", "--model", "none.model"], 2),
        (["inspect", "--model", "none.model", "x.png"], 1),
        (["inspect", "--pipeline", "none.json", "x.png"], 1),
        (["train", "images", "--good", "none", "--out", "m.model"], 1),
        (["train", "images", "--good", "none", "--out", "m.model", "--false-alarm-rate", "0.7"], 2),
        (["train", "images", "--good", "none"], 2),
        (["train", "images", "--good", "none", "--out", "photo.JPG"], 2),
        (["train", "images", "--good", "none", "--out", "."], 2),
        (["train", "images", "--good", "none", "--out", "m.model", "--name", "x" * 201], 2),
        (["train", "images", "--good", "none", "--out", "m.model", "--name", "a\x1b[2J"], 2),
        (["train", "images", "--good", "none", "--out", "m.model", "--seed", str(2**63)], 2),
        (["inspect", "--model", "none.model", "--threshold", "nan", "x.png"], 2),
        (["inspect", "--model", "none.model", "--threshold", "0", "x.png"], 2),
        (["evaluate", "--model", "none.model", "--good", "a", "--defect", "b", "--threshold", "inf"], 2),
        (["evaluate", "--model", "none.model", "--good", "a", "--defect", "b", "--threshold", "-3"], 2),
        (["evaluate", "--model", "none.model", "--good", "a", "--defect", "b"], 1),
        (["model", "show", "none.model"], 1),
        (["model", "list", "none"], 1),
        (["model", "backbone", "resnet"], 1),
        (["model", "threshold", "none.model"], 1),
        (["model", "threshold", "none.model", "--try", "0"], 2),
        (["model", "threshold", "none.model", "--set", "3"], 2),
        (["model", "threshold", "none.model", "--method", "f1"], 2),
        (["model", "threshold", "none.model", "--apply"], 2),
        (["item", "threshold", "x", "--set", "3", "--user", "u"], 2),
        (["item", "threshold", "x", "--set", "3", "--reset", "--user", "u", "--reason", "r"], 2),
        (["item", "threshold", "x", "--set", "0", "--user", "u", "--reason", "r"], 2),
        (["item", "threshold", "x", "--user", "u"], 2),
        (["gate", "learn", "none"], 2),
        (["gate", "learn", "none", "--out", "."], 2),
        (["inspect", "--learn-gate", "gate.json", "x"], 2),
        (["model", "threshold", "none.model", "--reason", "r"], 2),
        (["model", "threshold", "none.model", "--store", "s"], 2),
        (["model", "export", "none.model", "--out", "m.model"], 1),
        (["model", "export", "none.model", "--out", "."], 2),
        (["model", "export", "none.model", "--out", "m.model", "--precision", "int8"], 2),
        (["model", "export", "none.model", "--out", "m.model", "--precision", "int4"], 2),
        (["model", "verify", "none.model"], 1),
        (["model", "verify", "none.model", "--images", "x"], 2),
        (["train", "images", "--good", "none", "--out", "m.model", "--threshold", "f1"], 2),
        (["train", "images", "--good", "none", "--out", "m.model", "--escape-cost", "0"], 2),
        (["train", "images", "--good", "none", "--out", "m.model", "--defect-rate", "1"], 2),
        (["train", "images", "--good", "none", "--out", "m.model", "--method", "x"], 1),
        (["train", "images", "--good", "none", "--out", "m.model", "--defect", "none"], 1),
    ],
)
def test_a_mistake_of_the_user_is_reported_by_exit_code_on_stderr(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    expected: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (expected, "")
    assert err
