"""The character set of short texts without a declaration."""

from __future__ import annotations

import pytest

from models.encodings import is_known_encoding, probable_encoding

WESTERN = [
    "Temperatur [°C];Druck [bar]",
    "Dehnung µm/m;Durchfluss m³/h;Größe",
    "25°C Typ Ö",
    "ééécéé jj",
    "ÖLDRUCK;KÜHLMITTEL",
    "Température;Débit;État",
    "Açúcar;Pressão",
    "±0,5 mm",
]
JAPANESE = [
    "品番 ABC-123 ロット７",
    "ﾛｯﾄ ABC-123 ｼｰﾙ",
    "温度[℃],圧力[MPa]",
    "時刻,主軸ﾓｰﾀ,X軸",
    "ﾎﾟﾝﾌﾟ",
    "漏洩検査",
    "ｵﾝﾄﾞ,ｱﾂﾘｮｸ",
    "ﾃﾞﾝﾘｭｳ,ﾋｮｳｼﾞ",
]


@pytest.mark.parametrize("text", WESTERN)
def test_a_western_text_is_recognised_though_it_may_be_valid_shift_jis(text: str) -> None:
    found = probable_encoding(text.encode("cp1252"))
    assert found is not None
    assert (found.name, found.certain) == ("cp1252", True)


@pytest.mark.parametrize("text", JAPANESE)
def test_a_japanese_text_is_recognised_though_it_may_be_valid_windows_1252(text: str) -> None:
    found = probable_encoding(text.encode("cp932"))
    assert found is not None
    assert (found.name, found.certain) == ("cp932", True)


@pytest.mark.parametrize("text", [*WESTERN, *JAPANESE, "plain", ""])
def test_valid_utf8_is_taken_as_utf8(text: str) -> None:
    found = probable_encoding(text.encode())
    assert found is not None
    assert found.name == "utf-8"


def test_a_single_kanji_that_may_be_two_letters_is_not_certain() -> None:
    found = probable_encoding("良".encode("cp932"))
    assert found is not None
    assert not found.certain


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("温度,压力,电流", "gbk"),
        ("温度センサー,圧力,電流", "euc_jp"),
        ("温度,圧力,電流", "euc_jp"),
        ("主軸モータ,回転数", "euc_jp"),
        ("Температура,Давление,Ток", "koi8_r"),
        ("температура,давление,ток", "koi8_r"),
        ("Température,Pression,Courant", "mac_roman"),
    ],
)
def test_a_text_in_another_character_set_is_not_guessed(text: str, encoding: str) -> None:
    assert probable_encoding(text.encode(encoding)) is None


@pytest.mark.parametrize(
    ("name", "known"),
    [("utf-16-le", True), ("gb18030", True), ("Windows-1252", True), ("zip", False), ("hex", False), ("", False)],
)
def test_only_character_sets_of_texts_are_known_encodings(name: str, known: bool) -> None:
    assert is_known_encoding(name) is known
