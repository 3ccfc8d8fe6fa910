"""The gRPC services of a server: one call at a time, from request to answer, images in the object store."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import grpc

from app.benchmarks.figures import Figure, at_most, judged_figure
from app.benchmarks.server.driving import served, signed_in
from app.benchmarks.server.grpc_clients import addresses, caller, models_environment, part_image, remove, spread, stored
from server.core.settings import ServerSettings
from server.grpc.stubs import ai_detection_pb2, common_pb2, filter_pb2, resize_pb2
from server.objects.store import ObjectStore

CALLS, ROUNDS = 40, 5
_MODEL = "weights/yolo11n_int8_openvino_model"
_LARGE, _SMALL = (1920, 1080), (640, 480)
_GOALS = {
    "resize": ("Resize 1920×1080 to 640×640, JPEG in, lossless out", 10.0),
    "filter": ("ApplyFilter blur on 1920×1080 as a service before it left it", 7.5),
    "filter_jpeg": ("ApplyFilter blur on 1920×1080, JPEG in, lossless out", None),
    "detect": ("Detect on a 640×480 JPEG with YOLO11n at 640, INT8", 50.0),
}


@dataclass(frozen=True, slots=True)
class _Work:
    """A kind of call.

    Attributes:
        request: returns a message about a picture that no call had before: bytes that are there are stored faster.
        call: sends a message and returns the answer's bytes.
        response: type of the answer.
    """

    request: Callable[[], Any]
    call: Callable[[Any], bytes]
    response: Any


@dataclass(slots=True)
class _Taken:
    """Milliseconds of calls, one list a round.

    Attributes:
        calls: from request to answer.
        own: of them, what the service says that it took: from reading the picture to having stored another.
    """

    calls: list[list[float]] = field(default_factory=list)
    own: list[list[float]] = field(default_factory=list)


def measure(data: Path, *, calls: int = CALLS, rounds: int = ROUNDS) -> list[Figure]:
    """Return how long calls of the services take.

    Args:
        data: folder of the data sets, with the weights of a detector.
        calls: of each service in a round.
        rounds: every service once a round, one after the other; medians count.

    Raises:
        Unavailable: when the server does not start.
    """
    taken = {name: _Taken() for name in _GOALS}
    with tempfile.TemporaryDirectory() as folder, _works(Path(folder), data) as (objects, works):
        for _ in range(rounds):
            for name, work in works.items():
                _time_calls(work, objects, calls, taken[name])
    return [figure for name, found in taken.items() for figure in _figures(name, found)]


def _time_calls(work: _Work, objects: ObjectStore, calls: int, taken: _Taken) -> None:
    """Add what calls take to ``taken``."""
    whole, own = [], []
    for _ in range(1 + calls):
        request = work.request()
        began = time.perf_counter()
        answer = work.call(request)
        whole.append((time.perf_counter() - began) * 1000)
        result = work.response.FromString(answer).result
        own.append(result.processing_time_seconds * 1000)
        # Each call finds the memory that the one before it has used: hosts of virtual machines give new memory slowly,
        # and take back what lies unused for seconds.
        remove(objects, [request.input_image, result.output_image])
    taken.calls.append(whole[1:])  # the first is not counted
    taken.own.append(own[1:])


@contextmanager
def _works(place: Path, data: Path) -> Iterator[tuple[ObjectStore, Mapping[str, _Work]]]:
    """Run a server and give its objects and the calls of its services."""
    with ExitStack() as opened:
        url, _ = opened.enter_context(served(place, environment=models_environment(yolo11=data / _MODEL)))
        with signed_in(url) as client:
            found = addresses(client)
        call = {
            key: caller(opened.enter_context(grpc.insecure_channel(found[key])), key)
            for key in ("resize", "filter", "ai-detection")
        }
        objects, numbers = ObjectStore(ServerSettings(data_dir=place / "server").objects), count()

        def picture(size: tuple[int, int], *, by_service: bool = False) -> common_pb2.ImageData:
            return stored(objects, part_image(*size, next(numbers)), by_service=by_service)

        def resize() -> resize_pb2.ResizeRequest:
            return resize_pb2.ResizeRequest(
                input_image=picture(_LARGE),
                target_width=640,
                target_height=640,
                resize_mode="fit",
                maintain_aspect_ratio=True,
            )

        def blur() -> filter_pb2.FilterRequest:
            return filter_pb2.FilterRequest(input_image=picture(_LARGE, by_service=True), filter_type="blur")

        def blur_jpeg() -> filter_pb2.FilterRequest:
            return filter_pb2.FilterRequest(input_image=picture(_LARGE), filter_type="blur")

        def detect() -> ai_detection_pb2.DetectionRequest:
            image = picture(_SMALL)
            return ai_detection_pb2.DetectionRequest(input_image=image, model_name="yolo11", confidence_threshold=0.25)

        works = {
            "resize": _Work(resize, call["resize"], resize_pb2.ResizeResponse),
            "filter": _Work(blur, call["filter"], filter_pb2.FilterResponse),
            "filter_jpeg": _Work(blur_jpeg, call["filter"], filter_pb2.FilterResponse),
            "detect": _Work(detect, call["ai-detection"], ai_detection_pb2.DetectionResponse),
        }
        yield objects, works


def _figures(name: str, taken: _Taken) -> list[Figure]:
    what, goal = _GOALS[name]
    value, note = spread(taken.calls)
    own, note_of_own = spread(taken.own)
    return [
        judged_figure(
            name=f"service_{name}_ms",
            value=value,
            unit="ms",
            what=f"{what}: median of a call, request to answer",
            goal=at_most(goal),
            note=note,
        ),
        Figure(
            name=f"service_{name}_own_ms",
            value=own,
            unit="ms",
            what=f"{what}: of it the service's own time, by its answer",
            note=note_of_own,
        ),
    ]
