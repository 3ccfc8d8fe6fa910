"""GigE Vision and USB3 Vision cameras through GenICam, which reconnect."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from inspection.imaging.files import DEFAULT_LIMITS, ImageLimits, require_pixel_count
from inspection.imaging.frames import Frame
from inspection.sources.aravis import AravisCamera, RawImage
from inspection.sources.base import MissedFrames
from inspection.sources.genicam_settings import GenicamSettings
from inspection.sources.pixel_formats import PIXEL_FORMATS, to_pixels
from inspection.sources.returning import ReturningSource, SourceGoneError
from models.clock import utc_now
from models.errors import InvalidInput, Unavailable

_SLICE = 0.1


class GenicamSource(ReturningSource):
    """A camera that speaks GenICam.

    It is lost when Aravis reports that control was lost (the heartbeat was not answered), when Aravis ignores what it
    sends, and in free run also when it sends nothing for a second or for three frames. Then it is reconnected and
    configured as before.

    Args:
        address: IP address, host name, or the id that ``arv-tool-0.8`` lists.
        settings: written at each connection.
        limits: for each image.
    """

    def __init__(
        self, address: str, settings: GenicamSettings | None = None, *, limits: ImageLimits = DEFAULT_LIMITS
    ) -> None:
        super().__init__(f"genicam:{address}")
        self._address = address
        self._settings = settings or GenicamSettings()
        self._limits = limits
        self._camera: AravisCamera | None = None
        self._lock = threading.Lock()
        self._last_arrival = 0.0
        self._software_trigger = False
        self._pending = False
        self._incomplete = 0

    @property
    def answers_events(self) -> bool:
        """Whether an input of the camera triggers each frame."""
        return self._settings.hardware_trigger

    @property
    def takes_trigger(self) -> bool:
        """Whether frames have to be requested with ``trigger``; known once the source is open."""
        return self._software_trigger

    @property
    def missed(self) -> MissedFrames:
        """Number of images that were incomplete because packets were lost."""
        return MissedFrames(incomplete=self._incomplete)

    def describe(self) -> str:
        """Return which camera it is."""
        return f"camera genicam:{self._address}"

    def trigger(self) -> None:
        """Request one frame; may be called from any thread.

        A request that is pending when the camera is lost is repeated after the reconnection.

        Raises:
            Unavailable: ``camera-not-reachable`` when the camera is lost.
        """
        with self._lock:
            camera = self._camera
            if camera is None:
                raise Unavailable("camera-not-reachable", camera=self._address)
            # Set first: the frame may arrive before this call returns.
            self._pending = True
            try:
                camera.trigger()
            except Unavailable:
                self._pending = False
                raise

    def open(self) -> None:
        """Connect.

        Raises:
            InvalidInput: ``genicam-setting`` or ``genicam-format`` for settings that the camera rejects.
            UnreadableImage: ``image-too-many-pixels``.
            Unavailable: ``camera-not-reachable``, ``genicam-packages-missing`` or ``genicam-library-missing``.
        """
        self._pending = False
        self._incomplete = 0
        super().open()

    def _connect(self) -> None:
        camera = AravisCamera.connect(self._address, self._settings, self._limits)
        with self._lock:
            self._camera = camera
            self._software_trigger = camera.software_trigger
        if self._pending:
            try:
                camera.trigger()
            except Unavailable:
                self._release(lost=True)
                raise
        self._last_arrival = time.monotonic()

    def _grab(self, wait: float) -> Frame | None:
        camera = self._camera
        deadline = time.monotonic() + wait
        while True:
            if camera is None or camera.lost.is_set() or self._closed.is_set():
                raise SourceGoneError
            try:
                image = camera.pop(min(_SLICE, max(0.0, deadline - time.monotonic())))
                if image is not None:
                    self._last_arrival, self._pending = time.monotonic(), False
                    return self._frame(image)
            except ValueError:
                # Packets were lost: the image leaves a gap in the sequence.
                self._incomplete += 1
                self._next_sequence()
                self._repeat_request(camera)
                continue
            if camera.ignores_images:
                self._incomplete += 1
                self._next_sequence()
                raise SourceGoneError
            if camera.free_run and time.monotonic() - self._last_arrival > camera.silence:
                raise SourceGoneError
            if time.monotonic() >= deadline:
                return None

    def _repeat_request(self, camera: AravisCamera) -> None:
        """Repeat the request of a frame whose packets were lost."""
        if self._pending:
            try:
                camera.trigger()
            except Unavailable as error:
                raise SourceGoneError from error

    def _frame(self, image: RawImage) -> Frame:
        name = PIXEL_FORMATS.get(image.format)
        if name is None:
            raise InvalidInput("genicam-format", camera=self._address, format=f"0x{image.format:08X}")
        require_pixel_count(image.width, image.height, name=self._address, limits=self._limits)
        pixels = to_pixels(image.data, image.width, image.height, name)
        captured_at = utc_now() - timedelta(seconds=time.monotonic() - image.monotonic)
        return Frame(pixels, self.source_id, self._next_sequence(), monotonic=image.monotonic, captured_at=captured_at)

    def _release(self, *, lost: bool) -> None:
        with self._lock:
            camera, self._camera = self._camera, None
        if camera is None:
            return
        if lost:
            # Aravis waits some seconds for the answer of a lost camera; reconnecting does not wait for that.
            threading.Thread(target=camera.release, name=f"release-{self.source_id}", daemon=True).start()
        else:
            camera.release()
