from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.detector_files import YOLO, graph_that_says
from tests.support.grpc_services import Hosted, hosting


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """Resize, detection with a model that always finds a box of class ``a``, and filter."""
    folder = tmp_path_factory.mktemp("services")
    with hosting(folder, models={"yolo11": graph_that_says(YOLO, folder / "model")}) as running:
        yield running
