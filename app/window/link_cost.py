"""Whether the system says that this computer's link is paid by volume; asked of Qt, which asks the system.

Linux: NetworkManager or ConnMan over D-Bus; Windows: the cost of the connection in use; macOS: whether it is expensive.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication
from PySide6.QtNetwork import QNetworkInformation


def system_says_metered() -> bool | None:
    """Return whether the link in use is paid by volume, None when the system does not say. From the main thread."""
    if QCoreApplication.instance() is None:
        _APPLICATION.append(QCoreApplication([]))
    information = _information()
    return information.isMetered() if information is not None else None


class LinkCost:
    """Follows what the system says while a window is open.

    Made on the UI thread; ``metered`` may be read from any.

    Args:
        on_change: called on the UI thread with what the system says from then on.

    Attributes:
        metered: None when the system does not say.
    """

    def __init__(self, on_change: Callable[[bool], None]) -> None:
        self.metered: bool | None = None
        self._on_change = on_change
        self._followed = _information()
        if self._followed is not None:
            self.metered = self._followed.isMetered()
            self._followed.isMeteredChanged.connect(self._changed)

    def close(self) -> None:
        """Follow no longer."""
        if self._followed is not None:
            self._followed.isMeteredChanged.disconnect(self._changed)
            self._followed = None

    def _changed(self, metered: bool) -> None:
        self.metered = metered
        self._on_change(metered)


_APPLICATION: list[QCoreApplication] = []
"""Of a process without a window; it must live as long as what was loaded into it."""


def _information() -> QNetworkInformation | None:
    # That of NetworkManager does not know at once, when it is loaded, that a link is metered; GLib's does.
    loaded = QNetworkInformation.loadBackendByName("glib")
    if not loaded and not QNetworkInformation.loadBackendByFeatures(QNetworkInformation.Feature.Metered):
        return None
    information = QNetworkInformation.instance()
    return information if information.supports(QNetworkInformation.Feature.Metered) else None
