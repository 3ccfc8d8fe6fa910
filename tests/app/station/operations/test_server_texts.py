"""What a server says to a person at a station is in the language of who reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.station.operations.enrolment import enrol
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from models.errors import UserFacingError
from models.messages import LANGUAGES, Language, catalogue
from tests.support.serving import Served, serve_with_users

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_with_users(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Workspace]:
    """A store that belongs to no server yet."""
    with Workspace.open(tmp_path / "fresh", settings=StationSettings()) as workspace:
        yield workspace


def refused_code(workspace: Workspace, served: Served) -> str:
    """Return the title of what the server says of a code that it does not know."""
    with pytest.raises(UserFacingError) as refused:
        enrol(workspace, server_url=served.url, code="AAAA-BBBB-CCCC-DDDD")
    return refused.value.text().title


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refused_code_is_explained_in_the_readers_language(
    fresh: Workspace, served: Served, language: Language
) -> None:
    fresh.text_language = language
    assert refused_code(fresh, served) == catalogue(language)["enrolment-code-wrong"]["title"]


def test_an_enrolled_station_hears_its_server_in_the_language_chosen_last(fresh: Workspace, served: Served) -> None:
    code = served["admin"].post("/enrolment-codes", json={"device_name": "Line"}).json()["code"]
    enrol(fresh, server_url=served.url, code=code)
    titles = []
    for fresh.text_language in LANGUAGES:
        with pytest.raises(UserFacingError) as refused:
            fresh.link.client.login("nobody", "wrong password here")
        titles.append(refused.value.text().title)
    assert titles == [catalogue(language)["sign-in-refused"]["title"] for language in LANGUAGES]
