"""An execution gives what the same pipeline gives in one process: in gRPC services, and over the bus."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inspection.imaging.files import decode_image
from inspection.model_library.loading import load_model
from inspection.pipeline import InspectionOutcome, PipelineDefinition, Runner, validate_definition
from models.pipelines import Pipeline
from models.states import ExecutionMode, ExecutionStatus, Role
from models.storage import sha256_of
from server.auth.identity.principal import Principal
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.executions import service
from server.executions.intake import Draft
from server.executions.schemas import ExecutionDetail
from server.files.images import check_image
from server.orchestration.worker import Worker
from server.process.services import connected_services
from tests.support.grpc_services import Hosted, hosting

ASKING = Principal("u", "supervisor", Role.SUPERVISOR, None)
STEPS: list[dict[str, Any]] = [
    {
        "id": "resize",
        "component": "resize",
        "inputs": {"image": "input"},
        "parameters": {"width": 640, "height": 480},
    },
    {
        "id": "detect",
        "component": "ai_detection",
        "inputs": {"image": "resize"},
        "parameters": {"model": "yolo11", "confidence": 0.1},
    },
    {
        "id": "show",
        "component": "filter",
        "inputs": {"image": "resize"},
        "parameters": {"filter_type": "sharpen", "amount": 0.7},
    },
]
DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def detector(data: Path) -> Path:
    return data / "weights" / "yolo11n_int8_320.onnx"


@pytest.fixture(scope="module")
def image(data: Path) -> bytes:
    return next(iter(sorted((data / "juice").rglob("*.[jp][pn]*g")))).read_bytes()


@pytest.fixture
def hosted(tmp_path: Path, detector: Path) -> Iterator[Hosted]:
    with hosting(tmp_path, models={"yolo11": detector}) as running:
        yield running


@pytest.fixture
def context(tmp_path: Path, detector: Path) -> Iterator[ServerContext]:
    opened = open_context(ServerSettings(data_dir=tmp_path, models={"yolo11": detector}, grpc_port=0))
    opened.outbox.start()
    yield opened
    opened.close()


def local(detector: Path, image: bytes) -> InspectionOutcome:
    pipeline = validate_definition(PipelineDefinition.parse({"name": "P", "steps": STEPS}))
    return Runner(pipeline, {"yolo11": load_model(detector)}).run(decode_image(image))


def executed(context: ServerContext, image: bytes, addresses: dict[str, str] | None) -> ExecutionDetail:
    """Run an execution with services at these addresses, or in this process without gRPC, and return its end."""
    with context.database.transaction() as session:
        pipeline = Pipeline(name="P", definition={"name": "P", "steps": STEPS})
        session.add(pipeline)
    context.objects.put(sha256_of(image), image)
    draft = Draft(pipeline_id=pipeline.id, files=[check_image(image, "part.jpg", context.settings)])

    async def work() -> ExecutionDetail:
        if addresses is not None:
            await context.services.start(addresses)
            return await ended()
        async with connected_services(context.settings, context):
            return await ended()

    async def ended() -> ExecutionDetail:
        accepted = service.accept(context, ASKING, draft, None, runs_here=True)
        worker = asyncio.create_task(Worker(context, 1, context.services, context.models.find).run())
        try:
            async with asyncio.timeout(DEADLINE_S):
                while (state := service.state_of(context, ASKING, accepted.execution_id)).ended_at is None:
                    await asyncio.sleep(0.02)
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
            await context.services.stop()
        return state

    return asyncio.run(work())


def require_same(context: ServerContext, state: ExecutionDetail, expected: InspectionOutcome) -> None:
    assert state.status is ExecutionStatus.COMPLETED
    outputs = {file.output_kind.value: context.objects.read(file.sha256) for file in state.output_files}
    assert expected.overlay is not None
    assert (decode_image(outputs["picture"]) == expected.overlay).all()
    result = json.loads(outputs["result"])
    assert result["overall_result"] == expected.result.overall_result.value
    found = [(one["class_name"], one["confidence"], one["bbox"]) for one in result["detections"]]
    assert len(found) == len(expected.result.detections)
    for (name, confidence, box), wanted in zip(found, expected.result.detections, strict=True):
        assert (name, confidence) == (wanted.class_name, pytest.approx(wanted.confidence, abs=1e-6))
        assert list(box.values()) == pytest.approx(list(wanted.bbox.model_dump().values()), abs=1e-3)


@pytest.mark.slow
def test_an_execution_in_services_equals_a_run_in_one_process(
    context: ServerContext, hosted: Hosted, detector: Path, image: bytes
) -> None:
    state = executed(context, image, dict(hosted.addresses))
    assert state.execution_mode is ExecutionMode.DIRECT_GRPC
    require_same(context, state, local(detector, image))


def test_an_execution_in_services_of_the_process_equals_a_run_without_them(
    context: ServerContext, detector: Path, image: bytes
) -> None:
    state = executed(context, image, None)
    assert state.execution_mode is ExecutionMode.DIRECT_GRPC
    require_same(context, state, local(detector, image))


def test_services_of_the_process_store_no_picture_between_steps(
    context: ServerContext, detector: Path, image: bytes
) -> None:
    del detector
    state = executed(context, image, None)
    kept = {file.sha256 for file in state.output_files} | {sha256_of(image)}
    assert {found.sha256 for found in context.objects.listed()} == kept


@pytest.mark.slow
def test_an_execution_over_the_bus_equals_a_run_in_one_process(
    context: ServerContext, detector: Path, image: bytes
) -> None:
    nobody = dict.fromkeys(("resize", "ai-detection", "filter"), "127.0.0.1:9")
    state = executed(context, image, nobody)
    assert state.execution_mode is ExecutionMode.KAFKA_FALLBACK
    require_same(context, state, local(detector, image))
