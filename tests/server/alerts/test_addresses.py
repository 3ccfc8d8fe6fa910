"""Which addresses webhooks may go to."""

from __future__ import annotations

import ipaddress

import pytest

from models.errors import InvalidInput
from models.rejections import RejectedValueError
from server.alerts.addresses import destinations_of, may_connect, require_webhook_url

PRIVATE = (
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:db8::1",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not may_connect(ipaddress.ip_address(address), [])


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_a_public_address_is_connected_to(address: str) -> None:
    assert may_connect(ipaddress.ip_address(address), [])


def test_plain_http_stays_within_the_networks_that_are_allowed() -> None:
    inside = [ipaddress.ip_network("10.0.0.0/8")]
    assert may_connect(ipaddress.ip_address("10.1.2.3"), inside, plain=True)
    assert not may_connect(ipaddress.ip_address("8.8.8.8"), inside, plain=True)


@pytest.mark.parametrize("url", ["https://127.1/", "https://0x7f000001/", "https://2130706433/", "https://localhost/"])
def test_another_spelling_of_this_computer_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        destinations_of(url, [])
    assert refused.value.code == "webhook-address-refused"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://user:secret@example.com/",
        "https://",
        "https:///path",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com/#x",
        "https://exa mple.com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/\r\nX: 1",
        "gopher://example.com",
        "https://[fe80::1%25lo]/",
        "https://[fe80::1%lo]/",
        "https://127%2e0.0.1/",
    ],
)
def test_what_is_no_url_for_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(RejectedValueError):
        require_webhook_url(url)


def test_the_checked_address_is_connected_to_rather_than_the_name() -> None:
    where = destinations_of("https://127.0.0.1:8443/a?b=c", ["127.0.0.0/8"])[0]
    assert (where.url, where.authority) == ("https://127.0.0.1:8443/a?b=c", "127.0.0.1:8443")
