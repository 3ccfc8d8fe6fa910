"""Calls of a service in this process: pictures stay in memory, and no message is made."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc

from server.grpc.faults import AttemptFailed
from server.services.calling import first_answer
from server.services.replicas import Replica, Replicas

if TYPE_CHECKING:
    from inspection.components.registry import Parameters
    from inspection.components.values import StepValue
    from inspection.imaging.picture import Picture
    from server.grpc.unary import UnaryCall


async def answer_of_embedded(
    replicas: Replicas, unary: UnaryCall, parameters: Parameters, picture: Picture, deadline_s: float | None = None
) -> StepValue:
    """Return what a service makes of a picture, with the deadline, the retries and the circuit of its calls.

    Args:
        replicas: of the service: its one replica, in this process.
        unary: its processing call.
        parameters: of its component.
        picture: that it is run on.
        deadline_s: as ``first_answer``.

    Raises:
        UserFacingError: as ``first_answer``.
    """

    async def ask(_replica: Replica, left_s: float) -> StepValue:
        try:
            async with asyncio.timeout(left_s):
                return await unary.compute(parameters, picture)
        except TimeoutError as error:
            raise AttemptFailed(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded") from error

    return await first_answer(replicas, ask, deadline_s)
