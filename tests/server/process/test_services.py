"""When the services of a server are started."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.errors import Unavailable
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.grpc import hosting
from server.grpc.contract import FILTER, SERVICES
from server.grpc.ports import port_taken
from server.health.service import health
from server.process.services import connected_services, starts_with_first_use
from server.services import replicas
from server.services.service import list_services, used_services

HOSTED = {"resize", "ai-detection", "filter"}


def test_services_of_this_computer_alone_start_with_their_first_use() -> None:
    assert starts_with_first_use(ServerSettings())


@pytest.mark.parametrize(
    "given",
    [
        {"grpc_host": "192.0.2.7", "grpc_secret": "s" * 32},
        {"grpc_host": "localhost"},
        {"grpc_filter": "10.0.0.5:50053"},
        {"grpc_tls_cert": Path("own.pem"), "grpc_tls_key": Path("own.key")},
        {"workers": 2},
    ],
    ids=lambda given: next(iter(given)),
)
def test_services_that_others_may_wait_for_start_with_the_server(given: dict[str, object]) -> None:
    assert not starts_with_first_use(ServerSettings(**given))


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ServerContext]:
    opened = open_context(ServerSettings(data_dir=tmp_path, grpc_port=0))
    yield opened
    opened.close()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of services whose port another program has, as long as they are in the list."""
    keys = [FILTER.key]
    require_free = hosting.require_free

    def check(service: Any, host: str, port: int, *, of_command: bool) -> None:
        if service.key in keys:
            raise port_taken(service, host, port, of_command=of_command)
        require_free(service, host, port, of_command=of_command)

    monkeypatch.setattr(hosting, "require_free", check)
    return keys


def test_services_whose_start_failed_are_shown_as_down(context: ServerContext, taken: list[str]) -> None:
    async def main() -> None:
        async with connected_services(context.settings, context):
            with pytest.raises(Unavailable) as caught:
                await context.services.ready()
            assert caught.value.code == "service-port-taken"
            shown = health(context).grpc_services
            assert shown.keys() == HOSTED
            assert {(one.status, one.replicas, one.error) for one in shown.values()} == {
                ("down", 0, "service-port-taken")
            }

    assert taken
    asyncio.run(main())


def test_services_that_cannot_start_are_listed_all_the_same(context: ServerContext, taken: list[str]) -> None:
    async def main() -> list[tuple[str, str | None]]:
        async with connected_services(context.settings, context):
            return [(one.status, one.error) for one in await used_services(context.services, context.models)]

    assert taken
    assert asyncio.run(main()) == [("down", "service-port-taken")] * len(HOSTED)


def test_services_start_once_what_was_in_the_way_is_gone(context: ServerContext, taken: list[str]) -> None:
    async def main() -> set[tuple[str, str | None]]:
        async with connected_services(context.settings, context):
            assert context.services._first_use is not None
            context.services._first_use._pause_s = 0.0
            with pytest.raises(Unavailable):
                await context.services.ready()
            taken.clear()
            listed = await used_services(context.services, context.models)
            return {(one.status, one.error) for one in listed}

    assert asyncio.run(main()) == {("up", None)}


def test_services_that_start_are_never_shown_as_unknown(context: ServerContext) -> None:
    async def main() -> set[str]:
        seen: set[str] = set()
        async with connected_services(context.settings, context):
            user = asyncio.create_task(context.services.ready())
            while not user.done():
                listed = list_services(context.services, context.models)
                assert sorted(one.id for one in listed) == sorted(HOSTED)
                seen |= {one.status for one in listed}
                await asyncio.sleep(0)
            await user
            return seen | {one.status for one in list_services(context.services, context.models)}

    assert asyncio.run(main()) == {"up"}


def test_other_threads_see_all_services_or_none(context: ServerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[int] = []

    class Watched(replicas.Replicas):
        def __init__(self, *given: Any, **further: Any) -> None:
            known.append(len(context.services.known))
            super().__init__(*given, **further)

    monkeypatch.setattr(replicas, "Replicas", Watched)

    async def main() -> None:
        async with connected_services(context.settings, context):
            await context.services.ready()

    asyncio.run(main())
    assert known == [0] * len(HOSTED)


def test_a_shutdown_during_a_start_leaves_nothing_waiting(context: ServerContext) -> None:
    async def use_twice() -> list[str]:
        codes = []
        for _ in range(2):
            with pytest.raises(Unavailable) as caught:
                await context.services.ready()
            codes.append(caught.value.code)
        return codes

    async def main() -> list[str]:
        async with connected_services(context.settings, context):
            user = asyncio.create_task(use_twice())
            await asyncio.sleep(0)
        assert not context.services.waiting
        assert not context.services.known
        assert not any(context.services.embeds(service.component) for service in SERVICES.values())
        return await user

    assert asyncio.run(main()) == ["service-not-connected"] * 2
