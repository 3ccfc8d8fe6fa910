"""Geometry in the answers of services: what cannot be is refused, and nothing else breaks on what is accepted."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inspection.imaging.picture import Picture
from models.errors import InvalidInput
from models.results import BoundingBox, Detection
from server.grpc.contract import PLACEMENT, RESIZED
from server.grpc.stubs import common_pb2
from server.objects.keys import key_of
from server.services.answers import answer_of
from server.services.step_services import StepAnswer, StoredImage

WIDTH, HEIGHT = 9, 7
ORIGINAL = StoredImage("images", key_of("a" * 64), "", 1, width=WIDTH, height=HEIGHT)
ANY_NUMBER = st.one_of(
    st.floats(), st.integers(), st.sampled_from([0, 0.0, -1.0, 1.0, 1e-300, 1e300, 5e-324, 10**400, 1 << 20])
)


def answer(**metadata: str) -> StepAnswer:
    made = common_pb2.ImageData(bucket="images", object_key=key_of("b" * 64), width=WIDTH, height=HEIGHT)
    return answer_of(ORIGINAL, common_pb2.ProcessingResult(output_image=made, metadata=metadata), ())


def accepted(**metadata: str) -> StoredImage | None:
    try:
        return answer(**metadata).output
    except InvalidInput:
        return None


def refusal(**metadata: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        answer(**metadata)
    return refused.value.code


@pytest.mark.parametrize(
    "text",
    [
        "[0, 0, 0, 0, 0, 0]",
        "[1, 2, 0, 2, 4, 0]",
        "[NaN, 0, 0, 0, 1, 0]",
        "[1, 0, Infinity, 0, 1, 0]",
        "[1e400, 0, 0, 0, 1, 0]",
        f"[1{'0' * 400}, 0, 0, 0, 1, 0]",
        "[1e-300, 0, 0, 0, 1e-300, 0]",
        "[1e300, 0, 0, 0, 1e300, 0]",
        "[1, 0, 1e300, 0, 1, 0]",
        "[1, 0, 0, 0, 1]",
        "{}",
        "7",
    ],
)
def test_a_placement_that_cannot_be_is_malformed(text: str) -> None:
    assert refusal(**{PLACEMENT: text}) == "service-message-malformed"


@pytest.mark.parametrize("text", ["[0, 0]", "[0, 1]", "[-1, 1]", "[NaN, 1]", "[1, 1e400]", "[1e-300, 1]", "[1, 1e300]"])
def test_a_scale_that_cannot_be_is_malformed(text: str) -> None:
    assert refusal(**{RESIZED: text}) == "service-message-malformed"


@given(affine=st.lists(ANY_NUMBER, min_size=6, max_size=6), scales=st.lists(ANY_NUMBER, min_size=2, max_size=2))
@example(affine=[0.5, 0, 0, 0, 0.5, 0], scales=[0.5, 0.5])
@example(affine=[-1.0, 0, 9, 0, -1.0, 7], scales=[1, 1])
def test_whatever_is_accepted_lies_on_the_original(affine: list[Any], scales: list[Any]) -> None:
    output = accepted(**{PLACEMENT: json.dumps(affine), RESIZED: json.dumps(scales)})
    if output is None or output.placement is None:
        return
    box = output.placement.box_to_original(BoundingBox(x=0, y=0, width=WIDTH, height=HEIGHT))
    assert 0 <= box.x <= box.x + box.width <= WIDTH
    valid = Picture(np.zeros((HEIGHT, WIDTH), np.uint8), output.placement, resized=output.resized).valid_mask()
    assert valid is None or valid.shape == (HEIGHT, WIDTH)
    assert all(round(side / scale) >= 0 for side, scale in zip((WIDTH, HEIGHT), output.resized, strict=True))


@pytest.mark.parametrize("x", [1e308, -1e308, float("inf")])
def test_a_box_that_lies_nowhere_is_malformed(x: float) -> None:
    box = BoundingBox.model_construct(x=x, y=0.0, width=1.0, height=1.0)
    found = Detection.model_construct(class_name="scratch", confidence=0.5, bbox=box)
    with pytest.raises(InvalidInput) as refused:
        answer_of(ORIGINAL, common_pb2.ProcessingResult(), [found])
    assert refused.value.code == "service-message-malformed"
