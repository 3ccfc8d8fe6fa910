"""Refusals of a service come back as the errors that it raised."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest

from models.errors import InvalidInput, NotFound, UnreadableImage
from server.grpc.contract import RESIZE
from server.grpc.faults import trailers_of
from tests.support.calls_of_services import asked, connected, failing
from tests.support.grpc_services import PlantedReplica


def test_a_refusal_is_the_very_error_that_the_service_raised() -> None:
    refusal = NotFound("service-model-unknown", name="nose", known="-")

    async def main() -> None:
        answer = failing(grpc.StatusCode.NOT_FOUND, str(refusal), trailers_of(refusal))
        async with PlantedReplica(RESIZE, answer) as bad:
            replicas = await connected(bad)
            with pytest.raises(NotFound) as caught:
                await asked(replicas)
            assert (caught.value.code, caught.value.values) == (refusal.code, refusal.values)
            assert bad.calls == 1

    asyncio.run(main())


def test_a_refusal_of_an_image_is_told_from_other_refusals() -> None:
    refusal = UnreadableImage("image-damaged", name="image", format="png")

    async def main() -> None:
        answer = failing(grpc.StatusCode.INVALID_ARGUMENT, str(refusal), trailers_of(refusal))
        async with PlantedReplica(RESIZE, answer) as bad:
            with pytest.raises(UnreadableImage) as caught:
                await asked(await connected(bad))
            assert caught.value.code == refusal.code

    asyncio.run(main())


@pytest.mark.parametrize("trailer", ["", "{", '{"code": "no-such-code", "values": {}}', '{"code": 7}', "[]"])
def test_a_refusal_of_another_program_is_told_as_it_came(trailer: str) -> None:
    async def main() -> None:
        trailers = (("imageflow-error", trailer),)
        answer = failing(grpc.StatusCode.INVALID_ARGUMENT, "too wide", trailers)
        async with PlantedReplica(RESIZE, answer) as bad:
            with pytest.raises(InvalidInput) as caught:
                await asked(await connected(bad))
            assert caught.value.code == "service-refused"
            assert "too wide" in str(caught.value)

    asyncio.run(main())
