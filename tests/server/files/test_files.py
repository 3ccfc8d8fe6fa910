"""Uploads: checked before they are kept, given back byte for byte, in parts too."""

from __future__ import annotations

import hashlib
import unicodedata

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection.imaging.files import decode_image
from models.clock import utc_now
from models.ids import new_id
from models.sessions import ImageRecord, InspectionSession
from server.files.images import safe_name, shown_name
from server.http.ranges import wanted_range
from server.http.refusals import RangeNotSatisfiable
from tests.support.images import png, png_of_claimed_size
from tests.support.serving import Served, device_token, enrol, make_target


def upload(served: Served, data: bytes, name: str = "part.png") -> httpx.Response:
    return served["inspector"].post("/files", files={"file": (name, data, "application/x-lie")})


def test_an_uploaded_image_comes_back_byte_for_byte(served: Served) -> None:
    data = png(1)
    made = upload(served, data).json()
    expected = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "width": 32, "height": 24}
    assert expected.items() <= made.items()
    assert made["content_type"] == "image/png"
    answer = served["integrator"].get(f"/files/{made['id']}")
    assert answer.content == data
    assert answer.headers["etag"] == f'"{made["sha256"]}"'
    assert served["integrator"].get(f"/files/{made['id']}/metadata").json() == made
    attachment = served["integrator"].get(f"/files/{made['id']}/download")
    assert attachment.content == data
    assert attachment.headers["content-disposition"] == "attachment; filename*=UTF-8''part.png"


def test_a_stations_own_token_reads_no_upload_of_a_person(served: Served) -> None:
    made = upload(served, png(8)).json()
    for end in ("", "/download", "/metadata", "/preview"):
        answer = served["device"].get(f"/files/{made['id']}{end}")
        assert answer.status_code == 404


def test_what_the_client_has_already_is_not_sent_again(served: Served) -> None:
    made = upload(served, png(2)).json()
    answer = served["inspector"].get(f"/files/{made['id']}", headers={"If-None-Match": f'W/"{made["sha256"]}"'})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize("end", ["", "/download"])
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-3"}])
def test_a_file_cut_short_in_the_object_store_is_refused(served: Served, end: str, headers: dict[str, str]) -> None:
    made = upload(served, png(9)).json()
    served.context.objects.put(made["sha256"], b"cut short")
    answer = served["inspector"].get(f"/files/{made['id']}{end}", headers=headers)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "object-damaged")


def test_no_preview_is_made_of_a_file_cut_short(served: Served) -> None:
    made = upload(served, png(11)).json()
    served.context.objects.put(made["sha256"], b"cut short")
    answer = served["inspector"].get(f"/files/{made['id']}/preview")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "object-damaged")


@pytest.mark.parametrize(
    ("stated", "served_as"), [("image/png", "image/png"), ("text/html", "application/octet-stream")]
)
def test_an_image_of_a_session_is_not_read_by_another_station(served: Served, stated: str, served_as: str) -> None:
    data = png(sum(stated.encode()))
    own = enrol(served, "own")
    image = ImageRecord(
        device_id=own["device_id"],
        session_id=new_id(),
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        content_type=stated,
        width=32,
        height=24,
        captured_at=utc_now(),
    )
    target_id = make_target(served)["id"]
    with served.context.database.transaction() as session:
        session.add(InspectionSession(id=image.session_id, device_id=own["device_id"], target_id=target_id))
        session.flush()
        session.add(image)
    path = f"/files/{image.id}"
    answer = served["integrator"].get(path)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "object-unknown")
    served.context.objects.put(image.sha256, data)
    with served.client(Authorization=f"Bearer {device_token(served, own)}") as station:
        for caller in (served["integrator"], served["inspector"], station):
            answer = caller.get(path)
            assert (answer.content, answer.headers["content-type"]) == (data, served_as)
    for end in ("", "/download", "/metadata"):
        assert served["device"].get(path + end).json()["type"].endswith("/file-unknown")


@pytest.mark.parametrize(
    ("header", "part"),
    [("bytes=0-9", slice(0, 10)), ("bytes=100-", slice(100, None)), ("bytes=-7", slice(-7, None))],
)
def test_a_range_gives_those_bytes(served: Served, header: str, part: slice) -> None:
    data = png(3)
    made = upload(served, data).json()
    answer = served["inspector"].get(f"/files/{made['id']}", headers={"Range": header})
    assert (answer.status_code, answer.content) == (206, data[part])
    assert answer.headers["content-range"].endswith(f"/{len(data)}")


def test_a_range_behind_the_end_is_416(served: Served) -> None:
    made = upload(served, png(4)).json()
    answer = served["inspector"].get(f"/files/{made['id']}", headers={"Range": "bytes=999999-"})
    assert answer.status_code == 416
    assert answer.json()["type"].endswith("/range-not-satisfiable")
    assert answer.headers["content-range"] == f"bytes */{made['size']}"


def test_head_of_a_file_says_its_length_without_sending_it(served: Served) -> None:
    made = upload(served, png(40)).json()
    answer = served["inspector"].head(f"/files/{made['id']}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(made["size"])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "image-empty"),
        (b"not an image at all", "image-unknown-format"),
        (b"<svg onload=alert(1)>", "image-unknown-format"),
        (png(5)[:-30], "image-truncated"),
        (png(5)[:200] + b"\0" * 50 + png(5)[250:], "image-damaged"),
        (png_of_claimed_size(60_000, 60_000), "image-too-many-pixels"),
        (png_of_claimed_size(400, 300), "image-truncated"),
        (png_of_claimed_size(40, 30, packed=b""), "image-truncated"),
        (png_of_claimed_size(40, 30, packed=None), "image-truncated"),
        (png_of_claimed_size(40, 30, packed=b"no zlib"), "image-damaged"),
    ],
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_is_no_usable_image_is_not_kept(served: Served, data: bytes, code: str, language: str) -> None:
    answer = served["inspector"].post("/files", files={"file": ("x.png", data)}, headers={"Accept-Language": language})
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"].endswith(f"/{code}")
    assert not served.context.objects.exists(hashlib.sha256(data).hexdigest())


def test_a_form_without_a_file_is_rejected(served: Served) -> None:
    answer = served["inspector"].post("/files", files={"other": ("x.png", b"x")})
    assert answer.json()["validation_errors"][0]["field"] == "file"
    answer = served["inspector"].post(
        "/files", content=b"--x\r\nbroken", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd.png"),
        ("C:\\windows\\part 1.png", "part 1.png"),
        ("部品.png", "部品.png"),
        ("..", "file.png"),
        ("a\u202egnp.exe", "agnp.exe.png"),
        ("report.html", "report.html.png"),
        ("photo.PNG", "photo.PNG"),
        ("photo.png .", "photo.png"),
        ("<a>:b|c?.png", "_a__b_c_.png"),
        ("NUL.png", "_NUL.png"),
        (".png", "file.png"),
    ],
)
def test_a_file_name_keeps_neither_a_path_nor_what_misleads(served: Served, given_name: str, kept: str) -> None:
    assert upload(served, png(6), given_name).json()["filename"] == kept


def test_a_file_name_keeps_no_character_that_is_not_seen() -> None:
    assert safe_name("a\x07b\u200bc\u2028d\ufeffe\x9b.png", "png") == "abcde.png"


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("pu\0mp.csv", "pump.csv"),
        ("C:\\plant\\pump.csv", "pump.csv"),
        ("/plant/pu\u202em\ud800p.csv", "pump.csv"),
        ("p" * 5_000, "p" * 100),
        ("\0", "data.csv"),
        ("..\\", ".."),
        ("", "data.csv"),
        (None, "data.csv"),
    ],
)
def test_a_text_names_a_file_by_what_is_seen_of_its_name(given_name: str | None, shown: str) -> None:
    assert shown_name(given_name, "data.csv") == shown


def test_an_upload_without_a_name_gets_one_with_the_suffix_of_its_kind() -> None:
    assert safe_name(None, "jpeg") == "file.jpg"


@given(st.text(max_size=600), st.sampled_from(["jpeg", "png", "bmp", "tiff", "webp"]))
def test_no_name_keeps_a_separator_or_a_control_character(name: str, image_format: str) -> None:
    kept = safe_name(name, image_format)
    assert not any(letter in "/\\" or unicodedata.category(letter)[0] == "C" for letter in kept)
    assert len(kept.encode()) <= 255
    assert kept.lower().endswith((".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".tif", ".tiff", ".webp"))
    assert safe_name(kept, image_format) == kept


@given(st.integers(1, 50), st.integers(0, 60), st.integers(0, 60))
def test_a_range_means_the_bytes_the_standard_says(size: int, first: int, last: int) -> None:
    data = bytes(range(size))
    header = f"bytes={first}-{last}"
    if first > last:
        assert wanted_range(header, size) is None
    elif first >= size:
        with pytest.raises(RangeNotSatisfiable):
            wanted_range(header, size)
    else:
        part = wanted_range(header, size)
        assert part is not None
        assert data[slice(*part)] == data[first : last + 1]


def test_a_deleted_file_is_gone(served: Served) -> None:
    kept = upload(served, png(900)).json()
    assert served["inspector"].delete(f"/files/{kept['id']}").status_code == 204
    assert served["inspector"].get(f"/files/{kept['id']}").status_code == 404


def test_a_file_of_somebody_else_is_not_deleted(served: Served) -> None:
    kept = upload(served, png(901)).json()
    answer = served["integrator"].delete(f"/files/{kept['id']}")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "file-of-another")
    assert served["supervisor"].delete(f"/files/{kept['id']}").status_code == 204


def test_a_preview_is_a_small_jpeg(served: Served) -> None:
    kept = upload(served, png(902)).json()
    answer = served["inspector"].get(f"/files/{kept['id']}/preview", params={"size": 16})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert max(decode_image(answer.content).shape[:2]) <= 16
    again = served["inspector"].get(
        f"/files/{kept['id']}/preview", params={"size": 16}, headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304


def test_a_preview_is_not_larger_than_allowed(served: Served) -> None:
    kept = upload(served, png(903)).json()
    assert served["inspector"].get(f"/files/{kept['id']}/preview", params={"size": 5000}).status_code == 400
