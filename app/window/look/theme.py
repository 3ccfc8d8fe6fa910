"""Colours and sizes of the window: two calm greys, saturated colour for verdicts and alarms only.

Every pair of colours that carries text is listed in ``TEXT_PAIRS``, every one that carries a shape in ``SHAPE_PAIRS``;
they meet WCAG 2.2 AA (4.5:1 and 3:1). Verdict colours are of the palette of Okabe and Ito, for any colour vision.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

ThemeName = Literal["light", "dark"]

TOUCH_TARGET_MM = 20.0
VERDICT_TEXT_MM = 17.0
MM_PER_INCH = 25.4
# What screens report lies now and then (projectors, virtual machines); outside of this range it is not believed.
PLAUSIBLE_DPI = (60.0, 220.0)
USUAL_DPI = 96.0
# Up to here sRGB is linear (IEC 61966-2-1).
LINEAR_BELOW = 0.04045


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours, ``#RRGGBB``.

    Attributes:
        window, surface, raised: backgrounds from the back to the front.
        border: outline of controls against what is behind.
        accent: what has the focus or is chosen.
        ok, ng, hold: of the verdicts; ``on_verdict`` is the text on them.
        alarm: of the banner that shows trouble.
        stage: behind images.
    """

    name: ThemeName
    window: str
    surface: str
    raised: str
    border: str
    text: str
    muted: str
    disabled: str
    accent: str
    on_accent: str
    stage: str
    on_stage: str
    alarm: str
    ok: str = "#009E73"
    ng: str = "#D55E00"
    hold: str = "#E69F00"
    on_verdict: str = "#101214"


LIGHT = Theme(
    name="light",
    window="#D6D9DB",
    surface="#E4E6E8",
    raised="#F5F6F7",
    border="#6B7278",
    text="#1A1D20",
    muted="#464C52",
    disabled="#7D848A",
    accent="#2F4A62",
    on_accent="#FFFFFF",
    stage="#3A3F44",
    on_stage="#F0F1F2",
    alarm="#E69F00",
)
DARK = Theme(
    name="dark",
    window="#26292C",
    surface="#303438",
    raised="#3C4146",
    border="#9BA3AA",
    text="#F0F1F2",
    muted="#C2C8CD",
    disabled="#878E95",
    accent="#A9C2DA",
    on_accent="#14181B",
    stage="#17191B",
    on_stage="#E4E6E8",
    alarm="#E69F00",
)
THEMES: dict[ThemeName, Theme] = {"light": LIGHT, "dark": DARK}

# (foreground, background) by attribute name.
TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    ("text", "window"),
    ("text", "surface"),
    ("text", "raised"),
    ("muted", "window"),
    ("muted", "surface"),
    ("muted", "raised"),
    ("on_accent", "accent"),
    ("on_stage", "stage"),
    ("on_verdict", "ok"),
    ("on_verdict", "ng"),
    ("on_verdict", "hold"),
    ("on_verdict", "alarm"),
)
SHAPE_PAIRS: tuple[tuple[str, str], ...] = (
    ("border", "window"),
    ("border", "surface"),
    ("border", "raised"),
    ("accent", "window"),
    ("accent", "surface"),
    ("accent", "raised"),
)


def relative_luminance(colour: str) -> float:
    """Return the relative luminance of ``#RRGGBB``, 0 to 1 (WCAG 2.2, "relative luminance")."""

    def linear(channel: int) -> float:
        value = channel / 255
        return value / 12.92 if value <= LINEAR_BELOW else float(((value + 0.055) / 1.055) ** 2.4)

    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((relative_luminance(one), relative_luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes in device-independent pixels, from the physical size of the screen's pixels."""

    dpi: float

    @classmethod
    def of_screen(cls, physical_dpi: float) -> Sizes:
        """Return the sizes for a screen that reports ``physical_dpi`` device-independent pixels an inch."""
        low, high = PLAUSIBLE_DPI
        return cls(physical_dpi if low <= physical_dpi <= high else USUAL_DPI)

    def millimetres(self, length: float) -> int:
        """Return how many pixels ``length`` millimetres are, rounded up."""
        return ceil(round(length * self.dpi / MM_PER_INCH, 6))

    @property
    def touch(self) -> int:
        """Least width and height of what a gloved finger hits."""
        return self.millimetres(TOUCH_TARGET_MM)

    @property
    def gap(self) -> int:
        """Distance between touch targets."""
        return self.millimetres(2.5)

    @property
    def text(self) -> int:
        """Height of running text, for reading at arm's length."""
        return self.millimetres(4.4)

    @property
    def small_text(self) -> int:
        """Height of text beside the point."""
        return self.millimetres(3.6)

    @property
    def title(self) -> int:
        """Height of headings."""
        return self.millimetres(6.5)

    @property
    def verdict_text(self) -> int:
        """Height of the verdict's letters, for reading from 3 m (15 mm would do: distance / 200)."""
        return self.millimetres(VERDICT_TEXT_MM)
