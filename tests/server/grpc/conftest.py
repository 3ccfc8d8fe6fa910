from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.detector_files import YOLO, graph_that_says
from tests.support.grpc_services import Hosted, hosting


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """Resize, detection and filter; one model always finds a box of class ``a``, another always says ``scratch``.

    The file of a third one is missing.
    """
    folder = tmp_path_factory.mktemp("services")
    classes = "task: classify\nnames: [good, scratch]\n"
    models = {
        "yolo11": graph_that_says(YOLO, folder / "detector"),
        "resnet50": graph_that_says(np.array([[0.2, 0.8]]), folder / "classifier", classes),
        "absent": folder / "absent.onnx",
    }
    with hosting(folder, models=models) as running:
        yield running
