"""A panel alone on its screen has room for its text."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QListWidget, QWidget
from pytestqt.qtbot import QtBot

from app.window.look.style_context import StyleContext
from app.window.look.theme import THEMES, Sizes
from app.window.shell.start_window import StartWindow
from app.window.widgets.panel import Panel, ScrolledColumn
from models.errors import Conflict, Unavailable, UserFacingError
from models.messages import Language

LONG_FOLDER = "/stores" + "/of-the-line" * 12


def has_room(label: QLabel) -> bool:
    return label.height() >= label.heightForWidth(label.width())


def test_text_set_after_a_panel_is_shown_has_room_for_every_line(qtbot: QtBot) -> None:
    screen, panel, label = QWidget(), Panel(margin=8, spacing=8), QLabel("one line")
    qtbot.addWidget(screen)
    label.setWordWrap(True)
    panel.column.addWidget(label)
    panel.place_alone(screen, width=300, above=1, below=1)
    screen.resize(1366, 768)
    screen.show()
    qtbot.waitExposed(screen)
    label.setText("a sentence of many words " * 12)
    qtbot.waitUntil(lambda: has_room(label))


@pytest.mark.parametrize(("height", "is_scrolled"), [(200, False), (60, True)])
def test_a_column_is_scrolled_only_where_its_contents_have_no_room(
    qtbot: QtBot, height: int, is_scrolled: bool
) -> None:
    scrolled, listed, label = ScrolledColumn(spacing=0), QListWidget(), QLabel("a sentence of many words " * 12)
    qtbot.addWidget(scrolled)
    label.setWordWrap(True)
    listed.setMinimumHeight(80)
    for widget in (listed, label):
        scrolled.column.addWidget(widget)
    scrolled.resize(600, height)
    scrolled.show()
    qtbot.waitExposed(scrolled)
    assert listed.sizeHint().height() + label.heightForWidth(600) > height
    assert (scrolled.verticalScrollBar().maximum() > 0) is is_scrolled


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(
    "error",
    [Conflict("store-in-use", folder=LONG_FOLDER), Unavailable("store-read-only", folder=LONG_FOLDER)],
    ids=lambda error: error.code,
)
def test_trouble_at_the_start_is_shown_without_a_line_cut_off(
    qtbot: QtBot, error: UserFacingError, language: Language
) -> None:
    window = StartWindow(StyleContext(THEMES["light"], Sizes.of_screen(96.0)), language)
    qtbot.addWidget(window)
    window.resize(1366, 768)
    window.show()
    qtbot.waitExposed(window)
    window.show_trouble(error)
    qtbot.waitUntil(lambda: has_room(window.detail))
    assert window.retry.visibleRegion().boundingRect() == window.retry.rect()
