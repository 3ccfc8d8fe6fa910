"""The gRPC services of a server: one call at a time, from request to answer, images in the object store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import grpc

from app.benchmarks.figures import Figure
from app.benchmarks.server.driving import served, signed_in
from app.benchmarks.server.grpc_clients import (
    addresses,
    caller,
    models_environment,
    part_image,
    spread,
    stored,
    timed_ms,
)
from server.core.settings import ServerSettings
from server.grpc.stubs import ai_detection_pb2, filter_pb2, resize_pb2
from server.objects.store import ObjectStore

CALLS, ROUNDS = 40, 5
_MODEL = "weights/yolo11n_int8_openvino_model"
_GOALS = {
    "resize": ("Resize 1920×1080 to 640×640, JPEG in, lossless out", 10.0),
    "filter": ("ApplyFilter blur on 1920×1080 as a service before it left it", 7.5),
    "filter_jpeg": ("ApplyFilter blur on 1920×1080, JPEG in, lossless out", None),
    "detect": ("Detect on a 640×480 JPEG with YOLO11n at 640, INT8", 50.0),
}


def measure(data: Path, *, calls: int = CALLS, rounds: int = ROUNDS) -> list[Figure]:
    """Return how long calls of the services take.

    Args:
        data: folder of the data sets, with the weights of a detector.
        calls: of each service in a round.
        rounds: every service once a round, one after the other; medians count.

    Raises:
        Unavailable: when the server does not start.
    """
    taken: dict[str, list[list[float]]] = {name: [] for name in _GOALS}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with served(place, environment=models_environment(yolo11=data / _MODEL)) as (url, _):
            with signed_in(url) as client:
                found = addresses(client)
            objects = ObjectStore(ServerSettings(data_dir=place / "server").objects)
            with (
                grpc.insecure_channel(found["resize"]) as resize,
                grpc.insecure_channel(found["filter"]) as filtering,
                grpc.insecure_channel(found["ai-detection"]) as detection,
            ):
                channels = {"resize": resize, "filter": filtering, "ai-detection": detection}
                works = _works(objects, {key: caller(channel, key) for key, channel in channels.items()})
                for _ in range(rounds):
                    for name, work in works.items():
                        taken[name].append(timed_ms(work, calls))
    return [_figure(name, rounds_of) for name, rounds_of in taken.items()]


def _works(objects: ObjectStore, call: Mapping[str, Callable[[object], bytes]]) -> dict[str, Callable[[], bytes]]:
    large, small = part_image(1920, 1080), part_image(640, 480)
    jpeg, left, frame = stored(objects, large), stored(objects, large, by_service=True), stored(objects, small)
    resize = resize_pb2.ResizeRequest(
        input_image=jpeg, target_width=640, target_height=640, resize_mode="fit", maintain_aspect_ratio=True
    )
    blur = filter_pb2.FilterRequest(input_image=left, filter_type="blur")
    blur_jpeg = filter_pb2.FilterRequest(input_image=jpeg, filter_type="blur")
    detect = ai_detection_pb2.DetectionRequest(input_image=frame, model_name="yolo11", confidence_threshold=0.25)
    return {
        "resize": lambda: call["resize"](resize),
        "filter": lambda: call["filter"](blur),
        "filter_jpeg": lambda: call["filter"](blur_jpeg),
        "detect": lambda: call["ai-detection"](detect),
    }


def _figure(name: str, rounds: list[list[float]]) -> Figure:
    what, goal = _GOALS[name]
    value, note = spread(rounds)
    return Figure(
        name=f"service_{name}_ms",
        value=value,
        unit="ms",
        what=f"{what}: median of a call, request to answer",
        goal="" if goal is None else f"≤ {goal:g} ms",
        met=None if goal is None else value <= goal,
        note=note,
    )
