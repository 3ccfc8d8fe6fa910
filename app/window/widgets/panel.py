"""A framed area of a screen."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget


class Panel(QFrame):
    """A framed area whose contents are one below the other.

    Attributes:
        column: takes the contents.

    Args:
        margin: around the contents, pixels.
        spacing: between two of them, pixels.
    """

    def __init__(self, *, margin: int, spacing: int) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(margin, margin, margin, margin)
        self.column.setSpacing(spacing)

    def place_alone(self, screen: QWidget, *, width: int, above: int, below: int) -> None:
        """Become the only content of ``screen``, in the middle of its width; scrolled where that is not high enough.

        Args:
            screen: has no layout yet.
            width: of the panel, pixels.
            above: share of the free height above it.
            below: share of the free height below it.
        """
        self.setFixedWidth(width)
        # Between stretches, not aligned: an aligned widget gets the height that its text needs at the screen's width.
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self)
        row.addStretch(1)
        scrolled = ScrolledColumn(spacing=0)
        scrolled.column.addStretch(above)
        scrolled.column.addLayout(row)
        scrolled.column.addStretch(below)
        outer = QVBoxLayout(screen)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled)


class _Content(QWidget):
    """Asks for the height that its texts need at the width they have; by itself Qt takes that of a narrow column."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the least size at the present width."""
        hint, layout, around = super().minimumSizeHint(), self.layout(), self.parentWidget()
        if layout is None or around is None or not layout.hasHeightForWidth():
            return hint
        return QSize(hint.width(), layout.minimumHeightForWidth(around.width()))

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """Return the least height: what its contents would like besides is no reason to scroll."""
        layout = self.layout()
        return -1 if layout is None else layout.minimumHeightForWidth(width)


class ScrolledColumn(QScrollArea):
    """Contents one below the other, scrolled where there is no room for all of them; keys go to the contents alone.

    Attributes:
        column: takes the contents.

    Args:
        spacing: between two of them, pixels.
    """

    def __init__(self, *, spacing: int) -> None:
        super().__init__()
        self._content = _Content()
        self.column = QVBoxLayout(self._content)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(spacing)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(self._content)
        self._followed: QWidget | None = None
        self.verticalScrollBar().rangeChanged.connect(lambda *_: self._show_followed())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the least width of the contents beside the bar: nothing is scrolled sideways."""
        beside = self.verticalScrollBar().sizeHint().width()
        return QSize(self._content.minimumSizeHint().width() + beside, super().minimumSizeHint().height())

    def follow(self, widget: QWidget | None) -> None:
        """Keep ``widget`` in sight whenever there is more or less room, or more or less to show; None ends it."""
        self._followed = widget
        self._show_followed()

    def _show_followed(self) -> None:
        if self._followed is not None:
            self.ensureWidgetVisible(self._followed)
