"""What a module logs during a test."""

from __future__ import annotations

from typing import Any

import pytest

from server.core.structlog_import import structlog


def log_lines(monkeypatch: pytest.MonkeyPatch, module: str) -> list[dict[str, Any]]:
    """Return the list that gets each line a module logs from now on to the end of the test."""
    captured = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(), processors=[captured], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    monkeypatch.setattr(f"{module}._log", logger)
    return captured.entries
