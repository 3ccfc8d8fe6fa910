"""A camera in a folder of its own, made from the protos alone: it knows nothing of the product.

Arguments: the address of CameraStreamService, a pipeline, a JPEG file.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import camera_stream_pb2
import camera_stream_pb2_grpc
import common_pb2
import grpc

address, pipeline, file = sys.argv[1:]
picture = Path(file).read_bytes()


def frames() -> Iterator[camera_stream_pb2.VideoFrame]:
    metadata = {"source_id": "line-1", "pipeline_id": pipeline}
    yield camera_stream_pb2.VideoFrame(frame_data=picture, timestamp_ms=1, metadata=metadata)


with grpc.insecure_channel(address) as channel:
    stub = camera_stream_pb2_grpc.CameraStreamServiceStub(channel)
    healthy = stub.HealthCheck(common_pb2.HealthCheckRequest(), timeout=30).healthy
    answers = [frame for frame in stub.ProcessVideoStream(frames(), timeout=60) if frame.processed_data]

known = sorted({"app", "inspection", "models", "resources", "server", "sync"} & set(sys.modules))
is_jpeg = [frame.processed_data.startswith(b"\xff\xd8") for frame in answers]
sys.stdout.write(repr((healthy, is_jpeg, [len(frame.detections) for frame in answers], known)))
