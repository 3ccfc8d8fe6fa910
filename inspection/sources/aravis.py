"""A GenICam camera through the Aravis library."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Self

from inspection.imaging.files import ImageLimits, require_pixel_count
from inspection.sources.aravis_library import load_aravis
from inspection.sources.arrival_clock import ArrivalClock
from inspection.sources.genicam_settings import GenicamSettings
from inspection.sources.pixel_formats import PIXEL_FORMATS, PREFERRED_FORMATS
from models.errors import InvalidInput, Unavailable, UserFacingError

_BUFFERS = 8
_DEVICE_ERROR = "arv-device-error-quark"
_IGNORED = "n_ignored_bytes"
"""Statistic of a GigE Vision stream: bytes of packets that are taken for those of no image."""


@dataclass(frozen=True, slots=True)
class RawImage:
    """An image as the camera sent it.

    Attributes:
        data: the bytes of the pixels.
        width: pixels.
        height: pixels.
        format: PFNC code of the pixel format.
        monotonic: ``time.monotonic()`` at the arrival of its first packet.
    """

    data: bytes
    width: int
    height: int
    format: int
    monotonic: float


class AravisCamera:
    """A connected camera that sends frames.

    Attributes:
        lost: set by Aravis when the camera does not answer or another program has taken control of it.
        software_trigger: whether each frame has to be requested with ``trigger``.
        free_run: whether the camera sends frames without any trigger.
        silence: seconds without a frame after which a camera in free run counts as lost.
    """

    def __init__(self, aravis: Any, failed: type[Exception], shown: str) -> None:
        self._aravis = aravis
        self._failed = failed
        self._camera: Any = None
        self._stream: Any = None
        self._shown = shown
        self._clock = ArrivalClock()
        self._image_bytes = 0
        self._ignored_statistic: int | None = None
        self._ignored_before = 0
        self.lost = threading.Event()
        self.software_trigger = False
        self.free_run = True
        self.silence = 1.0

    @classmethod
    def connect(cls, address: str, settings: GenicamSettings, limits: ImageLimits) -> Self:
        """Connect to the camera with this IP address, host name or id, configure it and start the acquisition.

        Raises:
            Unavailable: ``camera-not-reachable``, also when another program controls it; as ``load_aravis``.
            InvalidInput: ``genicam-setting``, ``genicam-format``.
            UnreadableImage: ``image-too-many-pixels`` when its images are larger than ``limits`` allow.
        """
        aravis, failed = load_aravis()
        found = cls(aravis, failed, address)
        try:
            found._camera = aravis.Camera.new(address)
        except failed as error:
            raise Unavailable("camera-not-reachable", camera=address) from error
        try:
            found._configure(settings, limits)
        except UserFacingError:
            # Aravis returns control with the last reference, and the traceback of an exception keeps references.
            found.release()
            raise
        return found

    def pop(self, wait: float) -> RawImage | None:
        """Return the next complete image, None when none arrived within ``wait`` seconds.

        Raises:
            ValueError: when packets of the image were lost; the next call continues with the next image.
        """
        buffer = self._stream.timeout_pop_buffer(int(max(0.0, wait) * 1_000_000))
        if buffer is None:
            return None
        self._ignored_before = self._ignored()
        try:
            if buffer.get_status() != self._aravis.BufferStatus.SUCCESS:
                raise ValueError(f"image {buffer.get_frame_id()}: {buffer.get_status()}")
            return RawImage(
                buffer.get_image_data(),
                buffer.get_image_width(),
                buffer.get_image_height(),
                buffer.get_image_pixel_format(),
                self._clock.arrival(buffer.get_system_timestamp()),
            )
        finally:
            self._stream.push_buffer(buffer)

    @property
    def ignores_images(self) -> bool:
        """Whether the packets of a whole image were ignored since the last image, complete or not.

        Aravis 0.8.26 opens its raw socket, where the process may, before it filters it. So the first packets that it
        takes can be those of any program, and their numbers can make it ignore every image from then on.
        """
        return self._image_bytes > 0 and self._ignored() - self._ignored_before >= self._image_bytes

    def trigger(self) -> None:
        """Request a frame.

        Raises:
            Unavailable: ``camera-not-reachable`` when the camera does not accept the request.
        """
        try:
            self._camera.software_trigger()
        except self._failed as error:
            raise Unavailable("camera-not-reachable", camera=self._shown) from error

    def release(self) -> None:
        """Stop the acquisition and release control; takes seconds when the camera no longer answers."""
        camera, self._camera = self._camera, None
        stream, self._stream = self._stream, None
        if camera is None:
            return
        try:
            camera.stop_acquisition()
        except self._failed:
            # The camera is lost, so there is nothing to stop; Aravis still frees its resources.
            self.lost.set()
        del stream, camera

    def _configure(self, settings: GenicamSettings, limits: ImageLimits) -> None:
        # The handler must not reference the camera, or it would never be released.
        lost = self.lost
        self._camera.get_device().connect("control-lost", lambda *_: lost.set())
        self._set("AcquisitionMode", "Continuous", "set_acquisition_mode", self._aravis.AcquisitionMode.CONTINUOUS)
        self._choose_format(settings.format)
        if settings.exposure_us is not None:
            self._within("exposure_us", settings.exposure_us, "get_exposure_time_bounds")
            self._set("exposure_us", settings.exposure_us, "set_exposure_time", settings.exposure_us)
        if settings.gain is not None:
            self._within("gain", settings.gain, "get_gain_bounds")
            self._set("gain", settings.gain, "set_gain", settings.gain)
        self._choose_trigger(settings.trigger)
        if settings.rate is not None:
            self._within("rate", settings.rate, "get_frame_rate_bounds")
            self._set("rate", settings.rate, "set_frame_rate", settings.rate)
        self.silence = self._longest_silence()
        _, _, width, height = self._ask("get_region", (0, 0, 0, 0))
        require_pixel_count(width, height, name=self._shown, limits=limits)
        self._start()

    def _choose_trigger(self, wanted: str) -> None:
        software = wanted in {"software", "software-if-possible"}
        if wanted == "software-if-possible" and not self._ask("is_software_trigger_supported", False):
            software, wanted = False, "off"
        if wanted == "off":
            self._set("trigger", wanted, "clear_triggers")
        else:
            self._set("trigger", wanted, "set_trigger", "Software" if software else wanted)
        self.software_trigger = software
        self.free_run = wanted == "off"

    def _choose_format(self, wanted: str | None) -> None:
        if wanted is not None:
            if wanted not in PIXEL_FORMATS.values():
                raise InvalidInput("genicam-format", camera=self._shown, format=wanted)
            self._set("format", wanted, "set_pixel_format_from_string", wanted)
            return
        present = self._ask("get_pixel_format", 0)
        if present in PIXEL_FORMATS:
            return
        offered = self._ask("dup_available_pixel_formats_as_strings", [])
        for name in PREFERRED_FORMATS:
            if name in offered:
                self._set("format", name, "set_pixel_format_from_string", name)
                return
        raise InvalidInput("genicam-format", camera=self._shown, format=", ".join(offered) or f"0x{present:08X}")

    def _start(self) -> None:
        try:
            self._stream = self._camera.create_stream(None, None)
            self._image_bytes = self._camera.get_payload()
            names = [self._stream.get_info_name(number) for number in range(self._stream.get_n_infos())]
            self._ignored_statistic = names.index(_IGNORED) if _IGNORED in names else None
            for _ in range(_BUFFERS):
                self._stream.push_buffer(self._aravis.Buffer.new_allocate(self._image_bytes))
            self._camera.start_acquisition()
        except self._failed as error:
            raise Unavailable("camera-not-reachable", camera=self._shown) from error

    def _ignored(self) -> int:
        return 0 if self._ignored_statistic is None else int(self._stream.get_info_uint64(self._ignored_statistic))

    def _longest_silence(self) -> float:
        rate = float(self._ask("get_frame_rate", 0.0))
        exposure = float(self._ask("get_exposure_time", 0.0)) / 1e6
        return max(1.0, exposure + (3 / rate if rate > 0 else 0.0))

    # Calls go by name: a bound method in the traceback of an exception would keep a reference to the camera.

    def _ask(self, question: str, otherwise: Any) -> Any:
        """Return the value of a feature, or ``otherwise`` where the camera does not have it."""
        try:
            return getattr(self._camera, question)()
        except self._failed:
            return otherwise

    def _within(self, setting: str, value: float, bounds: str) -> None:
        """Refuse a value that Aravis would clip silently."""
        limits = self._ask(bounds, None)
        if limits is not None and not limits[0] <= value <= limits[1]:
            reason = f"{limits[0]:g} … {limits[1]:g}"
            raise InvalidInput("genicam-setting", camera=self._shown, setting=setting, value=value, reason=reason)

    def _set(self, setting: str, value: object, change: str, *arguments: object) -> None:
        try:
            getattr(self._camera, change)(*arguments)
        except self._failed as error:
            if getattr(error, "domain", "") == _DEVICE_ERROR and getattr(error, "code", None) in self._no_answer():
                raise Unavailable("camera-not-reachable", camera=self._shown) from error
            reason = str(getattr(error, "message", error))
            raise InvalidInput(
                "genicam-setting", camera=self._shown, setting=setting, value=value, reason=reason
            ) from error

    def _no_answer(self) -> frozenset[int]:
        """Return the error codes of a camera that is lost or controlled by another program."""
        codes = self._aravis.DeviceError
        return frozenset(
            int(code) for code in (codes.TIMEOUT, codes.NOT_CONNECTED, codes.NOT_CONTROLLER, codes.TRANSFER_ERROR)
        )
