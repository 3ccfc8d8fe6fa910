"""Clients of the gRPC services of a server that runs for a measurement."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import grpc
import httpx
import numpy as np

from inspection.imaging.files import encode_jpeg, encode_netpbm
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from resources.parts import draw_part
from server.grpc.contract import SERVICES
from server.grpc.stubs import common_pb2
from server.objects.store import ObjectStore

CALL_S = 60.0


def models_environment(**models: Path) -> dict[str, str]:
    """Return the environment of a server that knows model files by these names."""
    return {"IMAGEFLOW_SERVER_MODELS": json.dumps({name: str(path) for name, path in models.items()})}


def addresses(client: httpx.Client) -> dict[str, str]:
    """Return the addresses of the services in a server's process, by the services' ids."""
    services = client.get("/grpc-services").raise_for_status().json()
    return {service["id"]: service["replicas"][0]["address"] for service in services}


def part_image(width: int, height: int, number: int = 0) -> Pixels:
    """Return the picture of a part by its number, with the noise of a camera: uint8 RGB ``(height, width, 3)``."""
    drawn = draw_part(number).image
    return cv2.resize(drawn, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def stored(objects: ObjectStore, pixels: Pixels, *, by_service: bool = False) -> common_pb2.ImageData:
    """Store a picture, as JPEG or as a service stores it, and return the message that names it."""
    data = encode_netpbm(pixels) if by_service else encode_jpeg(pixels)
    kept = objects.put_made([data])
    return common_pb2.ImageData(bucket=objects.bucket, object_key=objects.object_key(kept.name))


def remove(objects: ObjectStore, images: Iterable[common_pb2.ImageData]) -> None:
    """Remove the pictures that messages name; those of answers without a picture name none."""
    for image in images:
        if image.object_key:
            objects.delete(objects.require_allowed(image.bucket, image.object_key))


def caller(channel: grpc.Channel, key: str) -> Callable[[Any], bytes]:
    """Return what sends a message to a service and returns the bytes of its answer."""
    call = channel.unary_unary(SERVICES[key].path(), None, None)
    return lambda message: bytes(call(message.SerializeToString(), timeout=CALL_S))


def spread(rounds: Sequence[Sequence[float]]) -> tuple[float, str]:
    """Return the median of the rounds' medians, and a note of how they differ."""
    medians = [median(taken) for taken in rounds]
    return median(
        medians
    ), f"median of {len(rounds)} rounds of {len(rounds[0])}, {min(medians):.3g} to {max(medians):.3g}"
