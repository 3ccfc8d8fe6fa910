"""A client in a folder of its own, made from the protos alone: it knows nothing of the product.

Arguments: bucket, object key, and an address for each of resize, ai-detection, filter.
"""

import sys

import ai_detection_pb2
import ai_detection_pb2_grpc
import common_pb2
import filter_pb2
import filter_pb2_grpc
import grpc
import resize_pb2
import resize_pb2_grpc

bucket, key, resize, detection, filtering = sys.argv[1:]
image = common_pb2.ImageData(bucket=bucket, object_key=key, content_type="image/png")
answers = []

with grpc.insecure_channel(resize) as channel:
    stub = resize_pb2_grpc.ResizeServiceStub(channel)
    request = resize_pb2.ResizeRequest(
        input_image=image, target_width=32, target_height=32, resize_mode="fit", maintain_aspect_ratio=True
    )
    result = stub.Resize(request, timeout=30).result
    answers.append(f"{result.output_image.width}x{result.output_image.height}")
    answers.append(stub.HealthCheck(common_pb2.HealthCheckRequest(), timeout=30).healthy)

with grpc.insecure_channel(detection) as channel:
    stub = ai_detection_pb2_grpc.AIDetectionServiceStub(channel)
    request = ai_detection_pb2.DetectionRequest(input_image=image, model_name="yolo11", confidence_threshold=0.5)
    answers.append([found.class_name for found in stub.Detect(request, timeout=30).detections])
    answers.append(stub.HealthCheck(common_pb2.HealthCheckRequest(), timeout=30).healthy)

with grpc.insecure_channel(filtering) as channel:
    stub = filter_pb2_grpc.FilterServiceStub(channel)
    request = filter_pb2.FilterRequest(input_image=image, filter_type="blur", parameters={"radius": "2"})
    result = stub.ApplyFilter(request, timeout=30).result
    answers.append(common_pb2.ProcessingStatus.Name(result.status))
    answers.append(stub.HealthCheck(common_pb2.HealthCheckRequest(), timeout=30).healthy)

answers.append(sorted({"app", "inspection", "models", "resources", "server", "sync"} & set(sys.modules)))
sys.stdout.write(repr(answers))
