"""What is read of a TIFF's directory before anything is decoded."""

import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection.imaging.completeness import require_complete
from inspection.imaging.damage import DamagedError, TruncatedError
from inspection.imaging.headers import ImageHeader, read_header
from inspection.imaging.opencv import cv2

SHORT, LONG = 3, 4
ORDERS = st.sampled_from("<>")


def tiff(entries: list[tuple[int, int, int, bytes]], pool: bytes = b"", order: str = "<") -> bytes:
    """Return a TIFF of one directory; an entry is tag, type, number of values and its last four bytes."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    start = 8 + len(pool)
    listed = b"".join(struct.pack(f"{order}HHI", *entry[:3]) + entry[3] for entry in entries)
    return mark + struct.pack(f"{order}I", start) + pool + struct.pack(f"{order}H", len(entries)) + listed


def size_of(order: str, width: int, height: int) -> list[tuple[int, int, int, bytes]]:
    return [(256, LONG, 1, struct.pack(f"{order}I", width)), (257, LONG, 1, struct.pack(f"{order}I", height))]


@pytest.mark.parametrize("tags", [range(40_000, 40_400), [273] * 400, [256] * 400])
def test_entries_that_overlap_take_no_more_memory_than_the_file(tags: list[int]) -> None:
    values = 60_000
    overlapping = [(tag, LONG, values, struct.pack("<I", 8)) for tag in tags]
    strips = [(tag, LONG, values, struct.pack("<I", 8)) for tag in (273, 279)]
    data = tiff([*overlapping, *size_of("<", 64, 48), *strips], struct.pack("<I", 5) * values)
    assert len(data) < 250_000
    tracemalloc.start()
    try:
        header = read_header(data)
        assert header is not None
        require_complete(data, header)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert header == ImageHeader("tiff", 64, 48)
    assert peak < 4_000_000


@given(
    order=ORDERS,
    strips=st.lists(st.tuples(st.integers(0, 2**32 - 1) | st.integers(0, 200), st.integers(0, 200)), min_size=1),
    kept=st.integers(0, 40),
)
def test_a_strip_behind_the_end_is_found_whichever_it_is(order: str, strips: list[tuple[int, int]], kept: int) -> None:
    begins, sizes = ([strip[part] for strip in strips] for part in (0, 1))
    pool = struct.pack(f"{order}{2 * len(strips)}I", *begins, *sizes)
    directory = size_of(order, 8, 8)
    if len(strips) == 1:
        directory += [(273, LONG, 1, pool[:4]), (279, LONG, 1, pool[4:])]
    else:
        places = [struct.pack(f"{order}I", 8 + part * 4 * len(strips)) for part in (0, 1)]
        directory += [(273, LONG, len(strips), places[0]), (279, LONG, len(strips), places[1])]
    data = tiff(directory, pool, order) + bytes(kept)
    header = read_header(data)
    assert header == ImageHeader("tiff", 8, 8)
    if max(begin + size for begin, size in strips) > len(data):
        with pytest.raises(TruncatedError):
            require_complete(data, header)
    else:
        require_complete(data, header)


@given(
    order=ORDERS,
    entries=st.lists(
        st.tuples(
            st.sampled_from([256, 257, 273, 279, 324, 325, 700]),
            st.integers(0, 13),
            st.integers(0, 3) | st.integers(0, 2**32 - 1),
            st.binary(min_size=4, max_size=4) | st.sampled_from([b"\0\0\0\x08", b"\x08\0\0\0"]),
        ),
        max_size=8,
    ),
    cut=st.integers(0, 200),
)
def test_any_directory_is_read_or_refused(order: str, entries: list[tuple[int, int, int, bytes]], cut: int) -> None:
    data = tiff(entries, bytes(range(20)), order)
    data = data[: max(len(data) - cut, 4)]
    try:
        header = read_header(data)
        assert header is not None
        require_complete(data, header)
    except (TruncatedError, DamagedError):
        return
    assert header.width > 0 < header.height


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_of_opencv_is_truncated_by_one_byte_less(dtype: type[np.generic]) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (300, 211, 3)).astype(dtype)
    data = cv2.imencode(".tiff", pixels)[1].tobytes()
    header = read_header(data)
    assert header == ImageHeader("tiff", 211, 300)
    require_complete(data, header)
    with pytest.raises(TruncatedError):
        read_header(data[:-1])
