"""The Qt style sheet and palette of a theme; nothing is taken from the desktop's own colours."""

from __future__ import annotations

from string import Template

from PySide6.QtGui import QColor, QPalette

from app.window.look.theme import Sizes, Theme

_TEMPLATE = Template("""
* { font-size: ${text_px}px; color: $text; }
QWidget#window, QWidget#screen { background: $window; }
QFrame#panel, QFrame#topbar { background: $surface; border: none; border-radius: ${radius}px; }
QFrame#topbar { border-radius: 0; }
QLabel { background: transparent; }
QLabel[role="title"] { font-size: ${title_px}px; font-weight: 600; }
QLabel[role="muted"] { color: $muted; font-size: ${small_px}px; }
QLabel[role="key"] { color: $text; background: $surface; border: 1px solid $border; border-radius: ${key_radius}px;
    padding: 1px ${pad_small}px; font-size: ${small_px}px; }
QLabel[role="key"]:disabled { color: $disabled; border-color: $disabled; background: transparent; }
QLabel[role="caption"]:disabled { color: $disabled; }
QLabel[role="warning"] { color: $text; background: $raised; border-left: ${stripe}px solid $alarm; padding: ${pad}px; }

QPushButton { background: $raised; border: 2px solid $border; border-radius: ${radius}px;
    padding: 0 ${pad_wide}px; min-height: ${touch_inner}px; }
QPushButton:pressed { background: $surface; }
QPushButton:disabled { background: $surface; border: 2px dashed $disabled; color: $disabled; }
QPushButton:focus { border: 3px solid $accent; }
QPushButton[primary="true"] { background: $accent; border-color: $accent; color: $on_accent; }
QLabel[role="caption"][primary="true"] { color: $on_accent; }
QLabel[role="key"][primary="true"] { color: $on_accent; background: transparent; border-color: $on_accent; }
QPushButton[primary="true"]:focus { border: 3px solid $text; }
QPushButton[primary="true"]:disabled { background: $surface; border: 2px dashed $disabled; }
QLabel[role="caption"][primary="true"]:disabled { color: $disabled; }
QLabel[role="key"][primary="true"]:disabled { color: $disabled; border-color: $disabled; }
QPushButton[flat="true"] { background: transparent; }
QPushButton:checked { background: $accent; color: $on_accent; border-color: $accent; }

QLineEdit { background: $raised; border: 2px solid $border; border-radius: ${radius}px; padding: 0 ${pad}px;
    min-height: ${touch_inner}px; selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:focus { border: 3px solid $accent; }
QLineEdit:disabled { color: $disabled; border: 2px dashed $disabled; background: $surface; }

QListWidget, QTableWidget { background: $raised; border: 2px solid $border; border-radius: ${radius}px; outline: none;
    alternate-background-color: $surface; }
QListWidget:focus, QTableWidget:focus { border: 3px solid $accent; }
QListWidget::item { min-height: ${touch}px; padding: 0 ${pad}px; border-bottom: 1px solid $surface; }
QListWidget::item:selected { background: $accent; color: $on_accent; }

QProgressBar { background: $raised; border: 2px solid $border; border-radius: ${radius}px; text-align: center;
    min-height: ${bar}px; }
QProgressBar::chunk { background: $muted; border-radius: ${key_radius}px; }

QSlider { min-height: ${touch}px; background: transparent; }
QSlider::groove:horizontal { height: ${groove}px; background: $raised; border: 1px solid $border;
    border-radius: ${groove_radius}px; }
QSlider::handle:horizontal { width: ${handle}px; margin: -${handle_out}px 0; background: $muted;
    border: 2px solid $border; border-radius: ${radius}px; }
QSlider:focus::handle:horizontal { background: $accent; border-color: $text; }
QSlider:disabled::handle:horizontal { background: $surface; border-color: $disabled; }

QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QScrollBar:vertical { width: ${scroll}px; background: $surface; }
QScrollBar::handle:vertical { background: $border; border-radius: ${key_radius}px; min-height: ${touch}px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
""")


def style_sheet(theme: Theme, sizes: Sizes) -> str:
    """Return the style sheet of ``theme`` at ``sizes``."""
    handle = sizes.touch // 2
    groove = sizes.millimetres(3)
    return _TEMPLATE.substitute(
        {name: getattr(theme, name) for name in theme.__dataclass_fields__},
        text_px=sizes.text,
        small_px=sizes.small_text,
        title_px=sizes.title,
        touch=sizes.touch,
        # A style sheet's least height is of the content; the border comes on top of it.
        touch_inner=sizes.touch - 4,
        radius=sizes.millimetres(1.5),
        key_radius=sizes.millimetres(1),
        pad=sizes.millimetres(3),
        # Wide enough that even a short word makes a touch target; a least width here would let long ones be cut.
        pad_wide=sizes.millimetres(6),
        pad_small=sizes.millimetres(1.5),
        stripe=sizes.millimetres(2),
        bar=sizes.millimetres(8),
        groove=groove,
        groove_radius=groove // 2,
        handle=handle,
        handle_out=max(0, (sizes.touch - 8 - groove) // 2),
        scroll=sizes.millimetres(8),
    )


def palette(theme: Theme) -> QPalette:
    """Return the palette of ``theme``, for what the style sheet does not reach."""
    chosen = QPalette()
    roles = QPalette.ColorRole
    for role, colour in (
        (roles.Window, theme.window),
        (roles.WindowText, theme.text),
        (roles.Base, theme.raised),
        (roles.AlternateBase, theme.surface),
        (roles.Text, theme.text),
        (roles.Button, theme.raised),
        (roles.ButtonText, theme.text),
        (roles.BrightText, theme.text),
        (roles.Highlight, theme.accent),
        (roles.HighlightedText, theme.on_accent),
        (roles.ToolTipBase, theme.raised),
        (roles.ToolTipText, theme.text),
        (roles.PlaceholderText, theme.muted),
        (roles.Link, theme.accent),
    ):
        chosen.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        chosen.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.disabled))
    return chosen
