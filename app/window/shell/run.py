"""From the command to the running window: a first window at once, the store opened meanwhile, all closed after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QTimer
from PySide6.QtGui import QGuiApplication

from app.window.look.language import LanguageSwitch
from app.window.look.style_context import StyleContext
from app.window.look.theme import THEMES, Sizes, ThemeName
from app.window.presenting.notices import Level
from app.window.presenting.running import Lane, Task
from app.window.shell.application import prepare_application
from app.window.shell.interruption import interruptible
from app.window.shell.start_window import StartWindow
from app.window.shell.unexpected import UnexpectedErrors
from app.window.workers import Workers
from models.errors import UserFacingError
from models.messages import Language, choose_language

if TYPE_CHECKING:
    from app.station.settings import StationSettings
    from app.station.workspace import Workspace
    from app.window.shell.station import Station


class StationRun:
    """One run of the station's window.

    Attributes:
        start_window: shown until the store is open.
        station: the window proper, None before.
    """

    def __init__(
        self,
        store: Path,
        settings: StationSettings,
        *,
        source_spec: str = "",
        language: Language | None = None,
        theme: ThemeName | None = None,
        hints: Sequence[UserFacingError] = (),
    ) -> None:
        self._store = store
        self._hints = hints
        self._settings = settings
        self._source_spec = source_spec
        self._given = language
        self._language = language or settings.language or choose_language(QLocale.system().name())
        self._theme: ThemeName = theme or settings.theme
        self._application = prepare_application()
        self._workers = Workers()
        self._texts = LanguageSwitch(self._workers)
        self._texts.show(self._language)
        self._unexpected: UnexpectedErrors | None = None
        self._workspace: Workspace | None = None
        self.station: Station | None = None
        sizes = Sizes.of_screen(QGuiApplication.primaryScreen().physicalDotsPerInch())
        self.start_window = StartWindow(StyleContext(THEMES[self._theme], sizes), self._language)
        self.start_window.again.connect(self._open)
        self.start_window.left.connect(self._leave)

    def run(self) -> int:
        """Show the window until it is closed; return 1 when the store could not be opened, else 0."""
        self.start_window.showMaximized()
        # After the first paint, so that it does not wait for the modules that the store needs.
        QTimer.singleShot(0, self._open)
        try:
            with interruptible(self._application):
                self._application.exec()
        finally:
            self._close()
        return 0 if self._workspace is not None else 1

    def _open(self) -> None:
        store, settings = self._store, self._settings

        def open_store(task: Task) -> Workspace:
            from app.station.workspace import Workspace

            workspace = Workspace.open(store, settings=settings)
            if task.cancelled.is_set():
                workspace.close()
            # Here and not where it is used, so that the first window answers meanwhile.
            import app.window.shell.station  # noqa: F401

            return workspace

        self._workers.run(
            open_store,
            lane=Lane.DATABASE,
            on_success=self._opened,
            on_failure=self._failed,
        )

    def _opened(self, workspace: Workspace) -> None:
        from app.window.shell.station import build_station

        self._workspace = workspace
        self._texts.remove()
        self.station = build_station(
            workspace,
            source_spec=self._source_spec,
            language=self._given,
            theme=self._theme,
        )
        notices = self.station.context.notices
        self._unexpected = UnexpectedErrors(workspace.log_folder, lambda error: notices.add("unexpected", error))
        self._unexpected.install()
        self.station.window.showMaximized()
        self.station.start()
        for hint in self._hints:
            notices.add(f"hint {hint.values}", hint, level=Level.HINT)
        self.start_window.left.disconnect(self._leave)
        self.start_window.close()

    def _failed(self, error: UserFacingError) -> None:
        self.start_window.show_trouble(error)

    def _leave(self) -> None:
        self._application.quit()

    def _close(self) -> None:
        if self._unexpected is not None:
            self._unexpected.remove()
        if self.station is not None:
            self.station.close()
        self._workers.close()
        self._texts.remove()
        self.start_window.close()
        self.start_window.deleteLater()
        if self._workspace is not None:
            self._workspace.close()


def run_station(
    store: Path,
    *,
    source_spec: str = "",
    language: Language | None = None,
    theme: ThemeName | None = None,
) -> int:
    """Show the station on ``store`` until its window is closed and return the exit code.

    Raises:
        UserFacingError: when the settings cannot be used; trouble with the store is shown in the window.
    """
    from app.station.settings import load_settings, unknown_in_file

    settings, hints = load_settings(store), unknown_in_file(store)
    run = StationRun(store, settings, source_spec=source_spec, language=language, theme=theme, hints=hints)
    return run.run()
