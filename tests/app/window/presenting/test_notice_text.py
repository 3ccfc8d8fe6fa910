"""What a notice says to a person at the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.window.presenting.notices import notice_text
from models.errors import UnreadableImage
from models.messages import LANGUAGES, Language

SETTINGS = Path("/stores/line-2/settings.json")


@pytest.mark.parametrize("language", LANGUAGES)
def test_advice_that_names_the_settings_says_where_they_are(language: Language) -> None:
    error = UnreadableImage("image-range-unknown", name="a.tif", low="0", high="7.5")
    advice = notice_text(error, language, SETTINGS).advice
    assert str(SETTINGS) in advice
    assert "0:7.5" in advice


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_without_a_text_for_the_window_has_its_own(language: Language) -> None:
    error = UnreadableImage("image-empty", name="a.tif")
    assert notice_text(error, language, SETTINGS) == error.text(language)
