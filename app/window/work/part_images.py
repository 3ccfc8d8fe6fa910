"""The images a part is inspected on: the newest frame of the chosen source, its failures and its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.station.live_feed import LiveFeed
from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.presenting.notices import Level
from app.window.work.state import SCREEN
from app.window.work.unread_images import UnreadImages
from models.errors import InvalidInput, Unavailable, UserFacingError
from models.messages import LocalText

if TYPE_CHECKING:
    from inspection.imaging.frames import Frame
    from inspection.sources import ImageSource

CLOSE_S = 5.0


class PartImages:
    """Reads a source and keeps its newest frame.

    Attributes:
        newest: the frame that a capture would inspect; None while there is none.
        before: the one before it, which movement is seen against.
        has_ended: the source has no more frames.
        unread: the images of the source that could not be inspected so far.

    Events:
        changed: there is a frame now, or none any more, or the source has ended.
        frame_shown: the newest frame.
        failed: what went wrong; the banner shows it too.
        ended: the source has no more frames.
    """

    def __init__(self, context: StationContext) -> None:
        self._context = context
        self._feed: LiveFeed | None = None
        self._last_feed: LiveFeed | None = None
        self._make_source: Callable[[], ImageSource] | None = None
        self.newest: Frame | None = None
        self.before: Frame | None = None
        self.has_ended = False
        self.unread = UnreadImages()
        self._unread_in_row = UnreadImages()
        self.changed: Event[()] = Event()
        self.frame_shown: Event[Frame] = Event()
        self.failed: Event[UserFacingError] = Event()
        self.ended: Event[()] = Event()

    def use(self, make_source: Callable[[], ImageSource]) -> None:
        """Read another source; the one before is closed first."""
        self.stop()
        self._make_source = make_source
        self.has_ended = False
        self.unread = UnreadImages()
        self._unread_in_row = UnreadImages()
        self._context.notices.clear("image-transparent")
        self._context.notices.clear("source-unread")
        self.changed.emit()
        self._feed = LiveFeed(
            make_source,
            post=self._context.runner.post,
            on_frame=self._take,
            on_trouble=self._source_trouble,
            on_bad_image=self._image_trouble,
            on_end=self._show_end,
            after=self._last_feed,
        )
        self._feed.start()

    def use_up(self, frame: Frame) -> None:
        """Ask a paced source for its next frame where ``frame`` is its newest; another one is still to be inspected."""
        if self._feed is not None and self.newest is frame and self._feed.advance():
            self.newest = None
            self.changed.emit()

    def report_unread(self, screen: str) -> None:
        """Show on ``screen`` which images of the source could not be inspected; nothing without any."""
        found = self.unread.to_error()
        if found is not None:
            self._context.notices.add("source-unread", found, level=Level.HINT, screen=screen, personal=True)

    def stop(self) -> None:
        """Stop reading."""
        if self._feed is not None:
            self._feed.stop()
            self._last_feed, self._feed = self._feed, None
        self.newest = None

    def close(self) -> None:
        """Stop reading and wait until the source is closed."""
        self.stop()
        if self._last_feed is not None:
            self._last_feed.join(CLOSE_S)

    def _take(self, frame: Frame) -> None:
        self.before, self.newest = self.newest, frame
        self._unread_in_row = UnreadImages()
        if frame.transparent:
            seen = InvalidInput("window-image-transparent", name="" if frame.path is None else frame.path.name)
            self._context.notices.add("image-transparent", seen, level=Level.HINT, screen=SCREEN)
        self.changed.emit()
        self.frame_shown.emit(frame)

    def _source_trouble(self, error: UserFacingError | None) -> None:
        if error is None:
            self._context.notices.clear("source")
            return
        self.newest = None
        self.changed.emit()
        # What is not there now is sought by itself; a wrong address or setting only when somebody asks.
        again = None if isinstance(error, Unavailable) else self._use_again
        self._context.notices.add("source", error, retry=again, screen=SCREEN)
        self.failed.emit(error)

    def _use_again(self) -> None:
        if self._make_source is not None:
            self.use(self._make_source)

    def _image_trouble(self, error: UserFacingError) -> None:
        self.unread.add(error)
        self._context.notices.add("image", self._with_those_before(error), level=Level.HINT, screen=SCREEN)
        self.failed.emit(error)

    def _with_those_before(self, error: UserFacingError) -> UserFacingError:
        """Return what is reported of an image: where no image was shown since others failed, it names them too."""
        if "name" not in error.values:
            return error
        self._unread_in_row.add(error)
        found = self._unread_in_row
        if found.count == 1:
            return error
        reason = LocalText.of(error.code, error.values)
        return InvalidInput("window-images-unread-in-row", count=found.count, names=found.names, reason=reason)

    def _show_end(self) -> None:
        self.newest, self.has_ended = None, True
        self.changed.emit()
        self._context.notices.add("source", Unavailable("window-source-ended"), level=Level.HINT, screen=SCREEN)
        self.report_unread(SCREEN)
        self.ended.emit()
