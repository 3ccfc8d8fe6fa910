"""The processing call of a service: a message in, the work of a component on a thread, a message out."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from models.errors import ImageFlowError, UserFacingError
from server.core.metrics import CallMetrics
from server.core.structlog_import import structlog
from server.grpc.contract import PARAMETERS_KEY, Service
from server.grpc.detections import as_message
from server.grpc.faults import AttemptFailed, status_of, trailers_of
from server.grpc.messages import parsed
from server.grpc.stubs import ai_detection_pb2, filter_pb2, resize_pb2

if TYPE_CHECKING:
    from inspection.components.registry import Parameters
    from inspection.components.values import StepValue
    from inspection.imaging.picture import Picture
    from server.grpc.translation import Response
    from server.grpc.work import StepWork

# Loaded with the service, so that reflection can tell of them before the first call.
_FILES = (ai_detection_pb2, filter_pb2, resize_pb2)

_LOOK_S = 0.1
"""Seconds between two looks of a call that waits for its place whether anybody still waits for it."""
_BUG = "unexpected error; the service's log has it"
_T = TypeVar("_T")
_log = structlog.get_logger("imageflow.grpc")


class UnaryCall:
    """Answers the processing call of one service, for a client over gRPC or for this process itself.

    Args:
        service: whose call it is.
        work: returns what runs the component; called on a thread.
        threads: that calls run on, but for those of ``compute_here``.
        at_once: calls that work at the same time, on whatever threads.
        metrics: count the calls of this process; None where nobody reads them.
    """

    def __init__(
        self,
        service: Service,
        work: Callable[[], StepWork],
        threads: Executor,
        at_once: int,
        metrics: CallMetrics | None = None,
    ) -> None:
        self._service = service
        self._work = work
        self._threads = threads
        self._places = threading.Semaphore(at_once)
        self._metrics = metrics

    async def answer(self, data: bytes, context: Any) -> bytes:
        """Return the response's bytes; a refusal ends the call with a status and its reason."""
        extra = dict(context.invocation_metadata() or ()).get(PARAMETERS_KEY)
        try:
            return await self._on_thread(lambda cancel: self._answer(data, extra, cancel))
        except UserFacingError as error:
            await context.abort(status_of(error), str(error), trailers_of(error))
        except Exception:  # noqa: BLE001 - a bug ends this call, not the service; the log has it whole
            _log.exception("call failed", service=self._service.name)
            await context.abort(grpc.StatusCode.INTERNAL, _BUG)
        raise AssertionError("abort raises")

    async def compute(self, parameters: Parameters, picture: Picture) -> StepValue:
        """Return what the component makes of a picture, as ``compute_here``, on a thread of the service.

        Raises:
            AttemptFailed: with the status that the call would have ended with.
        """
        return await self._on_thread(lambda cancel: self.compute_here(parameters, picture, cancel))

    def compute_here(self, parameters: Parameters, picture: Picture, cancel: threading.Event) -> StepValue:
        """Return what the component makes of a picture in the memory of this process: the call without its messages.

        It waits while as many calls as the service answers at once are under way.

        Args:
            parameters: of the component.
            picture: the component's port ``image``.
            cancel: set it to stop before, between and within the stages.

        Raises:
            AttemptFailed: with the status that the call would have ended with.
        """
        from inspection.components.registry import InspectionCancelled, component

        code, began = grpc.StatusCode.INTERNAL, time.perf_counter()
        try:
            with self._place(cancel):
                value = self._work().compute(component(self._service.component), parameters, picture, cancel)
            code = grpc.StatusCode.OK
        except UserFacingError as error:
            code = status_of(error)
            raise AttemptFailed(code, str(error), error) from error
        except InspectionCancelled as error:
            code = grpc.StatusCode.CANCELLED
            raise AttemptFailed(code, "cancelled") from error
        except Exception as error:
            _log.exception("call failed", service=self._service.name)
            raise AttemptFailed(code, _BUG) from error
        else:
            return value
        finally:
            if self._metrics is not None:
                ended = grpc.StatusCode.CANCELLED if cancel.is_set() else code
                spent = time.perf_counter() - began
                self._metrics.observe(self._service.full_name, self._service.method, ended.name, spent)

    @contextmanager
    def _place(self, cancel: threading.Event) -> Iterator[None]:
        """Hold one of the service's places within the block.

        Raises:
            InspectionCancelled: when ``cancel`` was set before there was one.
        """
        from inspection.components.registry import InspectionCancelled

        while not self._places.acquire(timeout=_LOOK_S):
            if cancel.is_set():
                raise InspectionCancelled
        try:
            yield
        finally:
            self._places.release()

    async def _on_thread(self, work: Callable[[threading.Event], _T]) -> _T:
        cancel = threading.Event()
        working = asyncio.get_running_loop().run_in_executor(self._threads, work, cancel)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            # The client has gone or its deadline has passed: the thread stops at its next stage.
            cancel.set()
            working.add_done_callback(_looked_at)
            raise

    def _answer(self, data: bytes, extra: str | bytes | None, cancel: threading.Event) -> bytes:
        from server.grpc.translation import REQUESTS, RESPONSES, parameters_of

        request = parsed(REQUESTS[self._service.key], data)
        component, parameters = parameters_of(self._service, request, extra)
        with self._place(cancel):
            result, found = self._work().run(component, parameters, request.input_image, cancel)
        response: Response = RESPONSES[self._service.key](result=result)
        if isinstance(response, ai_detection_pb2.DetectionResponse):
            response.detections.extend(as_message(item) for item in found)
        return response.SerializeToString()


def _looked_at(answering: asyncio.Future[Any]) -> None:
    if answering.cancelled():
        return
    error = answering.exception()
    if error is not None and not isinstance(error, ImageFlowError):
        _log.error("a call that nobody waited for failed", error=repr(error))
