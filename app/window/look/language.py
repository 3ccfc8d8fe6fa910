"""The window's languages: Qt Linguist files, switched at run time; ``python -m app.window.look.language`` builds them.

The sources are ``resources/translations/imageflow_{en,ja}.ts``. Beside them lie the compiled ``.qm``, made by set-up
and not kept in the repository, with the digests of the sources they were made from: translations older than their
source are made again when a window starts. ``python -m app.window.look.language update`` takes new texts from the
source first.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import PySide6
from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QObject, QTranslator

from models.errors import UserFacingError
from models.messages import LANGUAGES, Language, error_text
from models.storage import sha256_of, write_atomically

_MADE_FROM = "compiled.json"


def translations_folder() -> Path:
    """Return where the translations lie."""
    return Path(str(files("resources"))) / "translations"


def build() -> list[Path]:
    """Compile every ``.ts`` into a ``.qm`` beside it and return those.

    Raises:
        subprocess.CalledProcessError: when a ``.ts`` is not well formed.
    """
    built = []
    for language in LANGUAGES:
        source = translations_folder() / f"imageflow_{language}.ts"
        compiled = source.with_suffix(".qm")
        # A window that starts meanwhile finds the old file or the new one, never half of one.
        unfinished = compiled.with_name(f".{compiled.name}.{os.getpid()}")
        _linguist("lrelease", "-silent", str(source), "-qm", str(unfinished))
        unfinished.replace(compiled)
        built.append(compiled)
    digests = {language: _source_digest(language) for language in LANGUAGES}
    write_atomically(translations_folder() / _MADE_FROM, json.dumps(digests).encode())
    return built


def _source_digest(language: Language) -> str:
    return sha256_of((translations_folder() / f"imageflow_{language}.ts").read_bytes())


def is_stale(language: Language) -> bool:
    """Return whether the compiled translations are of another source than the one beside them."""
    if not (translations_folder() / f"imageflow_{language}.ts").exists():
        return False
    try:
        made_from = json.loads((translations_folder() / _MADE_FROM).read_bytes())
    except (OSError, ValueError):
        made_from = {}
    return bool(made_from.get(language) != _source_digest(language))


def _renew(language: Language) -> None:
    """Compile translations that are older than their source; what keeps them from it is reported on stderr."""
    if not is_stale(language):
        return
    try:
        build()
    except (OSError, UserFacingError, subprocess.CalledProcessError, StopIteration):
        text = error_text("window-translations-old", {"folder": str(translations_folder())}, language)
        sys.stderr.write(f"{text.explanation}\n")


def update(folder: Path | None = None) -> list[Path]:
    """Take the texts of the source into the ``.ts`` files in ``folder`` (default: the product's) and return those.

    Line numbers are left out, so that a ``.ts`` changes only when a text does; texts that are gone are dropped.
    """
    sources = sorted(str(path) for path in Path(__file__).parents[1].rglob("*.py"))
    written = []
    for language in LANGUAGES:
        target = (folder or translations_folder()) / f"imageflow_{language}.ts"
        options = [
            "-silent",
            "-no-obsolete",
            "-locations",
            "none",
            "-source-language",
            "en",
            "-target-language",
            language,
        ]
        _linguist("lupdate", *options, *sources, "-ts", str(target))
        written.append(target)
    return written


def _linguist(tool: str, *arguments: str) -> None:
    folder = Path(PySide6.__file__).parent
    program = next(path for path in (folder / tool, folder / f"{tool}.exe") if path.exists())
    # The Linguist tools speak a desktop's language where there is one; they need no screen.
    subprocess.run([str(program), *arguments], check=True)  # noqa: S603 - a program of our own environment


def current_language() -> Language:
    """Return the language that is shown now."""
    return "ja" if QLocale().language() is QLocale.Language.Japanese else "en"


class LanguageSwitch(QObject):
    """Puts the application's texts into a language; widgets follow by ``QEvent.LanguageChange``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._translator: QTranslator | None = None
        self.language: Language = "en"

    def show(self, language: Language) -> None:
        """Switch to ``language``; every widget has received the change event when this returns.

        Raises:
            FileNotFoundError: when set-up has not built the translations.
        """
        compiled = translations_folder() / f"imageflow_{language}.qm"
        _renew(language)
        translator = QTranslator(self)
        if not translator.load(str(compiled)):
            raise FileNotFoundError(f"{compiled} is not there; build it with: python -m app.window.look.language")
        if self._translator is not None:
            QCoreApplication.removeTranslator(self._translator)
            self._translator.deleteLater()
        self._translator, self.language = translator, language
        QLocale.setDefault(QLocale(QLocale.Language.Japanese if language == "ja" else QLocale.Language.English))
        QCoreApplication.installTranslator(translator)
        # Qt posts the event to the windows; without this a caller would still read texts of the other language.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LanguageChange)

    @property
    def next(self) -> Language:
        """The language that the key switches to."""
        place = LANGUAGES.index(self.language)
        return LANGUAGES[(place + 1) % len(LANGUAGES)]

    def remove(self) -> None:
        """Remove the translator, at the end of the application."""
        if self._translator is not None:
            QCoreApplication.removeTranslator(self._translator)
            self._translator = None


def main(arguments: Sequence[str]) -> int:
    """Build the translations; with ``update`` take new texts from the source first."""
    if list(arguments) not in ([], ["update"]):
        sys.stderr.write("usage: python -m app.window.look.language [update]\n")
        return 2
    if arguments:
        update()
    build()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
