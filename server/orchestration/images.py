"""Pictures between the steps of an execution: in the object store, in memory, or both."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from inspection.imaging.files import decode_image, netpbm_pieces
from inspection.imaging.picture import Picture
from models.errors import NotFound, Unavailable, UnreadableImage
from server.orchestration.run_work import RunWork
from server.services.step_services import StoredImage

NETPBM = "image/netpbm"


class StepImage:
    """A picture that a step takes or gives; brought to the other place once, by the first thread that wants it there.

    Args:
        work: of the run.
        picture: in memory.
        stored: in the object store.

    Attributes:
        of_service: whether a service has made it; the original image of a pipeline is the client's own.
    """

    def __init__(self, work: RunWork, *, picture: Picture | None = None, stored: StoredImage | None = None) -> None:
        if picture is None and stored is None:
            raise ValueError("a picture is in memory or in the object store")
        self._work = work
        self._picture = picture
        self._stored = stored
        self.of_service = stored is not None and stored.placement is not None
        self._moving = threading.Lock()

    @property
    def in_memory(self) -> bool:
        """Whether ``picture`` returns at once."""
        return self._picture is not None

    def picture(self) -> Picture:
        """Return it in memory; on a thread.

        Raises:
            UserFacingError: when the object is not there or no image.
            Unavailable: ``service-output-unusable`` when it is a service that has made it.
        """
        with self._moving:
            if self._picture is None:
                self._picture = self._load()
            return self._picture

    def stored(self) -> StoredImage:
        """Return its reference; a picture is stored losslessly, and need not outlive this run; on a thread.

        Raises:
            Unavailable: ``disk-full`` or ``objects-unreachable``.
        """
        with self._moving:
            if self._stored is None:
                self._stored = self._keep()
            return self._stored

    async def reference(self) -> StoredImage:
        """Return what ``stored`` does, without keeping the event loop waiting."""
        return await self._work.on_thread(self.stored) if self._stored is None else self._stored

    @contextmanager
    def output_errors_as_unavailable(self) -> Iterator[None]:
        """Within the block, an image of a service that is missing or unreadable is a failure of that service.

        Raises:
            Unavailable: ``service-output-unusable``.
        """
        try:
            yield
        except (NotFound, UnreadableImage) as error:
            if not self.of_service:
                raise
            raise Unavailable("service-output-unusable") from error

    def _load(self) -> Picture:
        stored = self._stored
        if stored is None:
            raise RuntimeError("there is nothing to load")
        with self.output_errors_as_unavailable():
            data = self._work.objects.read(name_of(stored))
            if stored.placement is None:
                return Picture.original(decode_image(data, limits=self._work.limits))
            pixels = decode_image(data, mode="as-stored", limits=self._work.limits)
        if pixels.shape[:2] != (stored.height, stored.width):
            raise Unavailable("service-output-unusable")
        return Picture(pixels, stored.placement, stored.ignored, stored.resized)

    def _keep(self) -> StoredImage:
        picture = self._picture
        if picture is None:
            raise RuntimeError("there is nothing to store")
        self._work.stop_if_cancelled()
        # Under a name that is drawn, as services store theirs: nobody asks for the digest of an image between steps.
        kept = self._work.objects.put_made(netpbm_pieces(picture.pixels))
        height, width = picture.pixels.shape[:2]
        return StoredImage(
            bucket=self._work.objects.bucket,
            object_key=self._work.objects.object_key(kept.name),
            content_type=NETPBM,
            size_bytes=kept.size,
            width=width,
            height=height,
            placement=picture.placement,
            ignored=picture.ignored,
            resized=picture.resized,
        )


def name_of(stored: StoredImage) -> str:
    """Return the name, a digest or drawn, that an object's key ends with."""
    return stored.object_key.rpartition("/")[2]
