"""The station: its window, its operations and the `imageflow` command; the one room that imports PySide6."""
