"""An answer's output lies beside its input, or is none."""

from __future__ import annotations

import pytest

from models.errors import InvalidInput
from server.grpc.stubs import common_pb2
from server.objects.keys import key_of
from server.services.answers import answer_of
from server.services.step_services import StoredImage

ORIGINAL = StoredImage(
    bucket="images", object_key=f"line/{key_of('a' * 64)}", content_type="", size_bytes=1, width=9, height=9
)


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("other", f"line/{key_of('b' * 64)}"),
        ("images", key_of("b" * 64)),
        ("images", "../../etc/passwd"),
        ("images", f"line/../line/{key_of('b' * 64)}"),
    ],
)
def test_an_output_of_another_store_is_an_answer_that_is_none(bucket: str, key: str) -> None:
    made = common_pb2.ImageData(bucket=bucket, object_key=key, width=5, height=5)
    result = common_pb2.ProcessingResult(status=common_pb2.PROCESSING_STATUS_COMPLETED, output_image=made)
    with pytest.raises(InvalidInput) as refused:
        answer_of(ORIGINAL, result, ())
    assert refused.value.code == "service-message-malformed"


def test_an_output_beside_its_input_is_taken() -> None:
    made = common_pb2.ImageData(bucket="images", object_key=f"line/{key_of('b' * 64)}", width=5, height=5)
    answer = answer_of(ORIGINAL, common_pb2.ProcessingResult(output_image=made), ())
    assert answer.output is not None
    assert (answer.output.bucket, answer.output.object_key) == (made.bucket, made.object_key)
