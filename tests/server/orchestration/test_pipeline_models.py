"""Models of pipelines: none is used whose bytes are not those of its digest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.errors import Unavailable
from server.orchestration.pipeline_models import PipelineModels
from tests.support.sync_stores import ServerStore, model_file


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerStore]:
    store = ServerStore(tmp_path / "server")
    yield store
    store.close()


@pytest.mark.parametrize("held", [None, b"modeL"], ids=["absent", "damaged"])
def test_a_model_whose_bytes_are_not_there_is_waited_for(server: ServerStore, tmp_path: Path, held: bytes) -> None:
    model = model_file(b"model")
    server.add(model)
    if held is not None:
        server.objects.put(model.sha256, held)
    models = PipelineModels(server.database, server.objects, tmp_path / "copies", limit=1, at_once=1, others=_none)
    with pytest.raises(Unavailable) as refused:
        models.find(model.id)
    assert refused.value.code == "execution-model-absent"
    assert list((tmp_path / "copies").iterdir()) == []


def _none(name: str) -> None:
    raise LookupError(name)
