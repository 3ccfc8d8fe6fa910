import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.names import folded, is_clear_name, is_plain_text, on_one_line, visible_length


@pytest.mark.parametrize("name", ["", "ポンプ　二号", "pump 2", "می\u200cخواهم", "👩\u200d🔧", "外字\ue000"])
def test_a_name_in_any_script_with_spaces_of_any_width_is_plain(name: str) -> None:
    assert is_plain_text(name)


@pytest.mark.parametrize(
    "name",
    ["a\nb", "a\x1b[2J", "a\x00", "a\x7f", "a\x9b2J", "a\u2029b", "\udcff", "ng\u202ego", "a\u2066b"],
)
def test_what_writes_over_other_text_or_turns_it_is_not_plain(name: str) -> None:
    assert not is_plain_text(name)


@given(st.text())
def test_whatever_python_can_print_is_plain_like_every_space(text: str) -> None:
    shown = "".join(
        character for character in text if character.isprintable() or unicodedata.category(character) == "Zs"
    )
    assert is_plain_text(shown)


@pytest.mark.parametrize("name", ["pump 2", "ポンプ　二号", "葛\U000e0100城", "❤\ufe0f", "外字\ue000", "Ωμέγα"])
def test_a_name_of_visible_characters_is_clear(name: str) -> None:
    assert is_clear_name(name)


UNCLEAR = ["a\u200bb", "a\u200db", "a\u200eb", "a\u200fb", "a\u061cb", "a\xadb", "\u3164", "\uffa0", "a\nb", "a\u202eb"]


@pytest.mark.parametrize("name", UNCLEAR)
def test_a_name_with_a_character_that_cannot_be_seen_is_not_clear(name: str) -> None:
    assert not is_clear_name(name)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_ascii_folds_to_its_lower_case(text: str) -> None:
    assert folded(text) == text.lower()


@pytest.mark.parametrize(
    ("text", "length"),
    [("        ", 0), ("\u3000\u3000", 0), ("\u200b" * 8, 0), (" a b ", 3), ("ｶﾞ", 1), ("e\u0301", 1), ("㍿", 4)],
)
def test_blanks_at_the_ends_have_no_visible_length(text: str, length: int) -> None:
    assert visible_length(text) == length


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb.png", "a\\nb.png"),
        ("a\r\x1b[2J", "a\\r\\x1b[2J"),
        ("a\u2028b", "a\\u2028b"),
        ("部品 é.png", "部品 é.png"),
    ],
)
def test_what_would_end_or_steer_a_line_is_escaped(name: str, shown: str) -> None:
    assert on_one_line(name) == shown
