"""The station: its window, its operations and the `imageflow` command; the one room that imports PySide6."""

from app.immortals import keep_constants_alive

# Here, because whoever imports anything of the window comes by here first.
keep_constants_alive()
