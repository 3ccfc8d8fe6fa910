"""Images by reference: fetched from the one bucket that is allowed, and stored there."""

from __future__ import annotations

from dataclasses import dataclass

from inspection.imaging.files import ImageLimits, decode_image, netpbm_pieces
from inspection.imaging.frames import Pixels
from models.clock import utc_now
from models.errors import InvalidInput, UnreadableImage
from server.grpc.stubs import common_pb2
from server.objects.damage import require_whole
from server.objects.store import ObjectStore

_NAME = "image"
_MEBI = 1024 * 1024
OUTPUT_TYPE = "image/netpbm"
"""What services store: lossless, and written and read in a hundredth of the time of PNG or BMP."""


@dataclass(frozen=True, slots=True)
class Images:
    """Reads and stores the images of requests.

    Attributes:
        objects: the store whose bucket is allowed.
        limits: of bytes and pixels, checked before anything is decoded.
    """

    objects: ObjectStore
    limits: ImageLimits

    def fetch(self, image: common_pb2.ImageData) -> Pixels:
        """Return the pixels of an image, uint8 RGB ``(H, W, 3)``.

        Raises:
            InvalidInput: ``service-image-missing``.
            PermissionDenied: ``object-not-allowed`` for another bucket or a key that is none of this system's.
            NotFound: ``object-unknown``, or ``object-damaged`` for one of another size than the request says.
            UnreadableImage: as ``inspection.imaging.files.decode``.
            Unavailable: ``objects-unreachable``.
        """
        if not image.object_key:
            raise InvalidInput("service-image-missing")
        sha256 = self.objects.require_allowed(image.bucket or self.objects.bucket, image.object_key)
        size = require_whole(self.objects, sha256, image.size_bytes or None)
        if size > self.limits.bytes_of_largest:
            limit = self.limits.bytes_of_largest // _MEBI
            raise UnreadableImage("image-too-many-bytes", name=_NAME, size=-(-size // _MEBI), limit=limit)
        return decode_image(self.objects.read(sha256), name=_NAME, limits=self.limits)

    def keep(self, pixels: Pixels) -> common_pb2.ImageData:
        """Store an image and return its reference; after a power cut the step runs again, so nothing is flushed.

        Raises:
            Unavailable: ``disk-full`` or ``objects-unreachable``.
        """
        kept = self.objects.put_made(netpbm_pieces(pixels))
        made = common_pb2.ImageData(
            bucket=self.objects.bucket,
            object_key=self.objects.object_key(kept.name),
            content_type=OUTPUT_TYPE,
            size_bytes=kept.size,
            width=pixels.shape[1],
            height=pixels.shape[0],
        )
        made.created_at.FromDatetime(utc_now())
        return made
