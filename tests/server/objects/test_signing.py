"""Signed addresses with headers of the answer, beside the example of AWS' reference of Signature Version 4."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from server.objects.signing import with_answer_headers

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SIGNED = (
    "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
    "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)


def test_without_headers_the_signature_is_that_of_the_reference() -> None:
    assert with_answer_headers(SIGNED, SECRET, {}) == SIGNED


def test_a_header_has_a_signature_of_its_own() -> None:
    found = with_answer_headers(SIGNED, SECRET, {"content-type": "image/png"})
    assert found is not None
    query = parse_qs(urlsplit(found).query)
    assert query["response-content-type"] == ["image/png"]
    assert query["X-Amz-Signature"] != parse_qs(urlsplit(SIGNED).query)["X-Amz-Signature"]


def test_another_secret_signs_nothing() -> None:
    assert with_answer_headers(SIGNED, "another", {"content-type": "image/png"}) is None


def test_an_address_without_a_signature_is_not_signed() -> None:
    assert with_answer_headers("https://examplebucket.s3.amazonaws.com/test.txt", SECRET, {}) is None
