"""Where the images of the window come from: a source handed to it, else one made from a specification."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.window.presenting.event import Event
from inspection.imaging.reading import AS_DECLARED, Reading

if TYPE_CHECKING:
    from inspection.sources import ImageSource


class ImageSources:
    """Makes the image source that inspection reads.

    Args:
        spec: as the attribute.
        reading: of the settings.

    Attributes:
        spec: specification of the source: of the command line, else of the settings, until another is chosen; empty
            without any.
        reading: what image files leave open: of the settings, and the range of values that a training found.
        given: a source that is not opened yet and takes the place of every specification; None without any.

    Events:
        given_changed: the source that was handed to the window.
    """

    def __init__(self, spec: str, reading: Reading = AS_DECLARED) -> None:
        self.spec = spec
        self.reading = reading
        self.given: ImageSource | None = None
        self.given_changed: Event[ImageSource] = Event()

    def give(self, source: ImageSource) -> None:
        """Use ``source`` from now on instead of any specification."""
        self.given = source
        self.given_changed.emit(source)

    @property
    def is_chosen(self) -> bool:
        """Whether there is a source."""
        return self.given is not None or bool(self.spec)

    def maker(self) -> Callable[[], ImageSource]:
        """Return what makes the source, not opened: the given one, else that of the specification."""
        given, spec, reading = self.given, self.spec, self.reading

        def make() -> ImageSource:
            if given is not None:
                return given
            from inspection.sources import make_source
            from inspection.sources.triggers import TriggeredSource, TriggerMode

            # A camera set to software trigger shows nothing unless it is asked.
            return TriggeredSource(make_source(spec, reading=reading), TriggerMode.FREE)

        return make
