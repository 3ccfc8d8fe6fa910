import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.names import is_plain_text


@pytest.mark.parametrize("name", ["", "ポンプ　二号", "pump 2", "می\u200cخواهم", "👩\u200d🔧", "外字\ue000"])
def test_a_name_in_any_script_and_with_spaces_of_any_width_is_plain(name: str) -> None:
    assert is_plain_text(name)


@pytest.mark.parametrize(
    "name",
    ["a\nb", "a\x1b[2J", "a\x00", "a\x7f", "a\x9b2J", "a\u2029b", "\udcff", "ng\u202ego", "a\u2066b"],
)
def test_what_writes_over_other_text_or_turns_it_is_not_plain(name: str) -> None:
    assert not is_plain_text(name)


@given(st.text())
def test_whatever_python_can_print_and_every_space_is_plain(text: str) -> None:
    shown = "".join(
        character for character in text if character.isprintable() or unicodedata.category(character) == "Zs"
    )
    assert is_plain_text(shown)
