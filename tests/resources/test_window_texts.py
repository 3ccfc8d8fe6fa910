"""What the window says with a number in it, in the singular and the plural of each language."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QTranslator

from app.window.look.language import translations_folder


@pytest.mark.parametrize(
    ("language", "source", "number", "expected"),
    [
        ("en", "Trained on %n images; threshold {threshold}.", 6, "Trained on %n images; threshold {threshold}."),
        (
            "en",
            "A false-alarm rate of {rate} % cannot be shown with fewer than %n images: a distribution is assumed.",
            19,
            "A false-alarm rate of {rate} % cannot be shown with fewer than %n images: a distribution is assumed.",
        ),
        ("en", "%n images could not be used.", 2, "%n images could not be used."),
        (
            "en",
            "%n images were copies of others and were left out.",
            1,
            "%n image was a copy of another and was left out.",
        ),
        (
            "ja",
            "A false-alarm rate of {rate} % cannot be shown with fewer than %n images: a distribution is assumed.",
            19,
            "%n 枚未満では誤検出率 {rate} % を実測できないため、分布を仮定しています。",
        ),
        ("ja", "%n images could not be used.", 2, "%n 枚の画像は使えませんでした。"),
        (
            "ja",
            "%n images were copies of others and were left out.",
            1,
            "%n 枚の画像は他の画像と同じため除外しました。",
        ),
    ],
)
def test_home_words_what_a_training_gave_in_the_number_of_its_images(
    language: str, source: str, number: int, expected: str
) -> None:
    translator = QTranslator()
    assert translator.load(str(translations_folder() / f"imageflow_{language}.qm"))
    assert translator.translate("HomeScreen", source, "", number) == expected
