"""Models of the settings: loaded again when one of their files has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspection.detection.model.detector import Detector
from models.storage import write_atomically
from server.grpc.models import ModelShelf
from tests.support.detector_files import YOLO, graph_that_says


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return graph_that_says(YOLO, tmp_path / "detector")


def names_of(shelf: ModelShelf) -> tuple[str, ...]:
    model = shelf.find("yolo11")
    assert isinstance(model, Detector)
    return model.description.names


def test_a_model_is_loaded_once_while_its_files_stay(folder: Path) -> None:
    shelf = ModelShelf({"yolo11": folder / "graph.xml"})
    assert shelf.find("yolo11") is shelf.find("yolo11")


@pytest.mark.parametrize("name", ["labels.txt", "graph.labels.txt"])
def test_labels_laid_beside_a_graph_count_with_the_next_request(folder: Path, name: str) -> None:
    shelf = ModelShelf({"yolo11": folder / "graph.xml"})
    before = names_of(shelf)
    write_atomically(folder / name, b"scratch\ndent\n")
    laid = names_of(shelf)
    (folder / name).unlink()
    assert (before, laid, names_of(shelf)) == (("a", "b"), ("scratch", "dent"), ("a", "b"))


def test_metadata_of_a_folder_counts_with_the_next_request(folder: Path) -> None:
    shelf = ModelShelf({"yolo11": folder})
    before = names_of(shelf)
    # Written in place: the folder itself does not change.
    (folder / "metadata.yaml").write_text("task: detect\nnames: [c, d]\n", encoding="utf-8")
    assert (before, names_of(shelf)) == (("a", "b"), ("c", "d"))


def test_weights_replaced_beside_a_graph_count_with_the_next_request(folder: Path, tmp_path: Path) -> None:
    shelf = ModelShelf({"yolo11": folder / "graph.xml"})
    before = shelf.find("yolo11").digest
    other = YOLO.copy()
    other[0, 4, 0] = 0.8
    write_atomically(folder / "graph.bin", (graph_that_says(other, tmp_path / "other") / "graph.bin").read_bytes())
    assert shelf.find("yolo11").digest != before
