import re

import pytest

from inspection.judging.judgement import Judgement
from models.messages import LANGUAGES, Language
from models.reasons import reason_text

JUDGED = sorted(set(re.findall(r"``((?:anomaly|too|measurement|code|colour)-[a-z-]+)", Judgement.__doc__ or "")))


def test_the_reasons_of_a_judgement_are_known_here() -> None:
    assert len(JUDGED) == 11


@pytest.mark.parametrize("code", JUDGED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_is_reported_in_words_with_its_name(code: str, language: Language) -> None:
    reported = reason_text(f"{code}:穴:{{1}}", language)
    assert code not in reported
    assert ("穴:{1}" in reported) == (code not in {"anomaly-score", "code-none"})
    assert reported != reason_text(code, next(other for other in LANGUAGES if other != language))


def test_a_reason_of_a_later_version_is_shown_as_it_is() -> None:
    assert reason_text("too-shiny:face") == "too-shiny:face"
