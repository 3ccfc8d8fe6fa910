"""Executions whose services fail go on over the bus; what the client or the server did wrong ends them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.errors import UnreadableImage
from models.states import ExecutionMode, ExecutionStatus
from models.storage import sha256_of
from server.context import ServerContext
from server.services.step_services import StepAnswer
from tests.support.executing import jpeg
from tests.support.fixed_services import (
    Services,
    not_allowed,
    object_unknown,
    out_of_reach,
    output_without_object,
    stored_output,
    unknown_model,
)
from tests.support.worker_runs import accept, run_to_the_end


def test_an_execution_whose_services_do_not_answer_goes_on_over_the_bus(context: ServerContext) -> None:
    services = Services(out_of_reach)
    record = run_to_the_end(context, accept(context), services)
    assert (record.status, record.execution_mode) == (ExecutionStatus.COMPLETED, ExecutionMode.KAFKA_FALLBACK)
    assert services.asked == 1


def test_a_step_whose_model_no_service_knows_runs_in_the_worker(context: ServerContext) -> None:
    record = run_to_the_end(context, accept(context), Services(unknown_model))
    assert (record.status, record.execution_mode) == (ExecutionStatus.COMPLETED, ExecutionMode.DIRECT_GRPC)


def test_a_fault_is_tried_again_until_it_is_given_up(context: ServerContext) -> None:
    def fault() -> StepAnswer:
        raise ValueError("a fault of the program")

    record = run_to_the_end(context, accept(context), Services(fault))
    assert (record.status, record.error_code, record.attempts) == (ExecutionStatus.FAILED, "execution-fault", 2)


@pytest.mark.parametrize("answer", [object_unknown, not_allowed])
def test_an_execution_goes_on_over_the_bus_when_a_service_has_another_store(
    context: ServerContext, answer: Callable[[], StepAnswer]
) -> None:
    record = run_to_the_end(context, accept(context), Services(answer))
    assert (record.status, record.execution_mode) == (ExecutionStatus.COMPLETED, ExecutionMode.KAFKA_FALLBACK)


def test_an_execution_whose_service_stored_nothing_goes_on_over_the_bus(context: ServerContext) -> None:
    record = run_to_the_end(context, accept(context), Services(output_without_object))
    assert (record.status, record.execution_mode) == (ExecutionStatus.COMPLETED, ExecutionMode.KAFKA_FALLBACK)


NO_IMAGE = {
    "unknown format": b"no image",
    "too many pixels": b"P6 100000 100000 255\n" + bytes(64),
    "another format": b"%PDF-1.7",
}


@pytest.mark.parametrize("data", NO_IMAGE.values(), ids=NO_IMAGE)
def test_an_execution_whose_service_stored_no_image_goes_on_over_the_bus(context: ServerContext, data: bytes) -> None:
    record = run_to_the_end(context, accept(context), Services(lambda: stored_output(context, data)))
    assert (record.status, record.execution_mode) == (ExecutionStatus.COMPLETED, ExecutionMode.KAFKA_FALLBACK)


def test_an_execution_whose_service_cannot_read_the_image_of_another_one_goes_on(context: ServerContext) -> None:
    asked = []

    def answer() -> StepAnswer:
        asked.append(None)
        if len(asked) == 1:
            return stored_output(context, b"no image")
        raise UnreadableImage("image-unknown-format", name="image")

    record = run_to_the_end(context, accept(context), Services(answer))
    assert (record.status, record.execution_mode) == (ExecutionStatus.COMPLETED, ExecutionMode.KAFKA_FALLBACK)
    assert len(asked) == 2


def test_the_image_of_the_client_that_a_service_cannot_read_ends_its_execution(context: ServerContext) -> None:
    def answer() -> StepAnswer:
        raise UnreadableImage("image-damaged", name="image", format="jpeg")

    record = run_to_the_end(context, accept(context), Services(answer))
    assert (record.status, record.error_code) == (ExecutionStatus.FAILED, "image-damaged")


def test_an_image_that_the_server_itself_has_lost_is_no_failure_of_a_service(context: ServerContext) -> None:
    class Embedded(Services):
        def embeds(self, component: str) -> bool:
            return bool(component)

    execution_id = accept(context, jpeg())
    context.objects.delete(sha256_of(jpeg()))
    record = run_to_the_end(context, execution_id, Embedded(out_of_reach))
    assert (record.status, record.error_code) == (ExecutionStatus.FAILED, "object-unknown")
    assert record.execution_mode is ExecutionMode.DIRECT_GRPC
