"""Texts: values that are filled in, one thing or several, sentences that follow each other."""

from __future__ import annotations

import pytest

from models.messages import ErrorText, error_text, fill, join_sentences


@pytest.mark.parametrize(("count", "expected"), [(0, "0 images"), (1, "1 image"), (2, "2 images"), ("1", "1 image")])
def test_a_text_names_one_thing_in_the_singular(count: object, expected: str) -> None:
    assert fill("{count} {count:image|images}", {"count": count}) == expected


def test_a_text_takes_every_other_format_as_python_does() -> None:
    assert fill("{share:.1%} {name!r} {{}}", {"share": 0.25, "name": "a"}) == "25.0% 'a' {}"


def test_a_text_without_one_of_its_values_is_a_bug() -> None:
    with pytest.raises(KeyError):
        fill("{count} images", {})


def test_a_value_with_braces_stays_as_it_is() -> None:
    assert fill("{name}", {"name": "{other}"}) == "{other}"


@pytest.mark.parametrize(
    ("sentences", "joined"),
    [
        (("One.", "Two."), "One. Two."),
        (("一つ目です。", "二つ目です。"), "一つ目です。二つ目です。"),
        (("", "Two."), "Two."),
        (("One.", ""), "One."),
        (("", ""), ""),
    ],
)
def test_sentences_are_joined_as_their_language_does(sentences: tuple[str, ...], joined: str) -> None:
    assert join_sentences(*sentences) == joined


def test_an_error_explains_itself_without_a_blank_between_japanese_sentences() -> None:
    text = error_text("images-transparent", {"count": 1}, "ja")
    assert text.explanation == text.detail + text.advice


def test_an_english_error_explains_itself_with_a_blank_between_sentences() -> None:
    assert ErrorText("Title", "Detail.", "Advice.").explanation == "Detail. Advice."
