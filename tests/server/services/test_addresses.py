"""Addresses of services as settings write them, and the names in them."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import InvalidInput
from server.core.settings import ServerSettings
from server.grpc.contract import RESIZE
from server.services.addresses import Address, configured, embedded_services, parse_addresses, resolve


def test_a_name_stands_for_the_addresses_that_it_resolves_to() -> None:
    assert Address("127.0.0.1", 5) in asyncio.run(resolve(Address("localhost", 5)))


@pytest.mark.parametrize("host", ["nowhere.invalid", "no..where.invalid", f"{'a' * 64}.invalid"])
def test_a_name_that_stands_for_nothing_is_an_error_of_the_system(host: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - whichever the system has
        asyncio.run(resolve(Address(host, 5)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("10.0.0.5:50051", (Address("10.0.0.5", 50051),)),
        ("dns:///resize:50051, b:7", (Address("resize", 50051), Address("b", 7))),
        ("[::1]:50051", (Address("::1", 50051),)),
    ],
)
def test_addresses_are_read_as_they_are_written(text: str, expected: tuple[Address, ...]) -> None:
    assert parse_addresses(text, "S") == expected


@pytest.mark.parametrize(
    "text",
    [
        *("host", "host:", ":50051", "host:0", "host:65536", "host:x", "host:5²"),
        *("http://host:5", "dns://10.0.0.1/host:5", "a:5;b:5", "a b:5", "::1:5", "[host]:5"),
    ],
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_addresses(text, "S")
    assert caught.value.code == "service-address-invalid"


def test_a_service_with_an_address_is_not_embedded() -> None:
    settings = ServerSettings(grpc_filter="filter:50053")
    assert [service.key for service in embedded_services(settings)] == ["resize", "ai-detection", "camera-stream"]
    assert configured(settings, RESIZE) == ()
