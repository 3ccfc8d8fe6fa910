"""A local font for the training library, which would download one otherwise."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

_TIMEOUT_S = 20
_SUFFIXES = (".ttf", ".otf", ".ttc")
# Fonts with Japanese glyphs on systems without fontconfig.
_KNOWN = (
    "C:/Windows/Fonts/YuGothM.ttc",
    "C:/Windows/Fonts/msgothic.ttc",
    "/System/Library/Fonts/ヒラギノ角ゴシック W3.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "/Library/Fonts/Arial Unicode.ttf",
)


def find_font() -> Path:
    """Return a font file of this computer, with Japanese glyphs if available.

    The fallback is the Latin font of matplotlib, a dependency of the product; it only affects plots, which are off.

    Raises:
        FileNotFoundError: when matplotlib is not installed.
    """
    for path in (*_fontconfig(), *map(Path, _KNOWN)):
        if path.suffix.lower() in _SUFFIXES and path.is_file():
            return path
    package = importlib.util.find_spec("matplotlib")
    if package is None or package.origin is None:
        raise FileNotFoundError("matplotlib's fonts")
    return Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"


def _fontconfig() -> list[Path]:
    """Return fontconfig's fonts with Japanese glyphs, regular weights first; empty without fontconfig."""
    program = shutil.which("fc-list")
    if program is None:
        return []
    try:
        listed = subprocess.run(  # noqa: S603 - the system's own program, arguments as a list
            [program, ":lang=ja", "file"], check=False, capture_output=True, text=True, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    found = sorted(line.split(":")[0].strip() for line in listed.stdout.splitlines() if line.strip())
    return [Path(name) for name in sorted(found, key=lambda name: "Regular" not in name)]
