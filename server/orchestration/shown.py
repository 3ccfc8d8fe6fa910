"""The picture that a pipeline shows, encoded while other steps still run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from inspection.imaging.files import encode_png
from inspection.imaging.frames import as_rgb
from inspection.pipeline.validation import ValidatedPipeline, ValidatedStep
from server.orchestration.images import StepImage
from server.orchestration.run_work import RunWork
from server.orchestration.walking import Value


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture as PNG.

    Attributes:
        data: the file's bytes.
        width: pixels.
        height: pixels.
    """

    data: bytes
    width: int
    height: int


class ShownPicture:
    """Encodes the picture that a pipeline shows as soon as its step has given it; a block that is left ends that.

    Args:
        work: of the run.
        pipeline: the last of its pictures that no step takes is shown.
    """

    def __init__(self, work: RunWork, pipeline: ValidatedPipeline) -> None:
        self._work = work
        self._shown = pipeline.unused_images()[-1:]
        self._encoding: asyncio.Task[EncodedPicture] | None = None

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what is still under way."""
        if self._encoding is not None:
            self._encoding.cancel()
            await asyncio.gather(self._encoding, return_exceptions=True)

    def see(self, step: ValidatedStep, value: Value) -> None:
        """Take what a step gave."""
        if step.id in self._shown and isinstance(value, StepImage):
            self._encoding = asyncio.create_task(self._encoded(value), name=f"picture of {step.id}")

    async def encoded(self) -> EncodedPicture | None:
        """Wait for the picture; None when the pipeline shows none.

        Raises:
            UserFacingError: when the object of the picture is not there or no image.
        """
        return None if self._encoding is None else await self._encoding

    async def _encoded(self, image: StepImage) -> EncodedPicture:
        pixels = as_rgb((await image.picture()).pixels)
        data = await self._work.on_thread(encode_png, pixels, quick=True)
        return EncodedPicture(data, width=pixels.shape[1], height=pixels.shape[0])
