"""Several blobs in one body come out as they went in, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rejections import RejectedValueError
from models.storage import sha256_of
from sync.shared.blob_batches import PackedBlob, pack_blobs, unpack_blobs
from sync.shared.protocol import MAX_BLOBS, UploadRequest


def packed(*contents: bytes) -> list[PackedBlob]:
    return [
        PackedBlob(UploadRequest(sha256=sha256_of(data), size=len(data), content_type="image/png"), data)
        for data in contents
    ]


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=8))
def test_blobs_come_out_as_they_went_in(contents: list[bytes]) -> None:
    assert unpack_blobs(pack_blobs(packed(*contents))) == packed(*contents)


@given(st.data())
def test_a_body_that_is_cut_is_refused_unless_whole_blobs_are_left(data: st.DataObject) -> None:
    contents = data.draw(st.lists(st.binary(max_size=50), min_size=1, max_size=4))
    body = pack_blobs(packed(*contents))
    wholes = [pack_blobs(packed(*contents[:count])) for count in range(1, len(contents) + 1)]
    cut = body[: data.draw(st.integers(0, len(body)))]
    if cut in wholes:
        assert pack_blobs(unpack_blobs(cut)) == cut
        return
    with pytest.raises(RejectedValueError):
        unpack_blobs(cut)


@pytest.mark.parametrize("body", [b"", b"\n", b"{}\n", b"x" * 5000, b'{"sha256":"0","size":-1,"content_type":"a"}\n'])
def test_what_is_no_body_of_blobs_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedValueError):
        unpack_blobs(body)


def test_more_blobs_than_a_body_may_have_are_refused() -> None:
    assert len(unpack_blobs(pack_blobs(packed(*[b""] * MAX_BLOBS)))) == MAX_BLOBS
    with pytest.raises(RejectedValueError):
        unpack_blobs(pack_blobs(packed(*[b""] * (MAX_BLOBS + 1))))
