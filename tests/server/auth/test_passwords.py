"""Passwords: counted as a person counts them, known in whatever form a keyboard sends them."""

from __future__ import annotations

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from models.errors import InvalidInput
from server.auth.identity.passwords import Passwords
from tests.support.cheap_digests import full_cost


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(8)


@pytest.mark.parametrize(
    "password", ["        ", "\u3000" * 8, "\u200b" * 8, "   short   ", "ｶﾞｷﾞｸﾞｹﾞ", "seven77", "\ufeffseven77"]
)
def test_a_password_of_too_few_visible_characters_is_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        passwords.digest(password)
    assert refused.value.code == "password-too-short"


def test_a_password_that_is_long_in_its_normal_form_is_refused(passwords: Passwords) -> None:
    with pytest.raises(InvalidInput) as refused:
        passwords.digest("\ufdfa" * 20)
    assert refused.value.code == "password-too-long"


def test_a_digest_costs_64_mib_in_three_passes_of_four_threads() -> None:
    with full_cost():
        digest = Passwords(8).digest("long enough")
    assert digest.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_blanks_within_a_password_count(passwords: Passwords) -> None:
    assert passwords.matches("a b c d e", passwords.digest("a b c d e"))


def test_blanks_at_the_ends_of_a_password_are_a_part_of_it(passwords: Passwords) -> None:
    assert not passwords.matches("long enough", passwords.digest(" long enough "))


def test_no_kinds_of_characters_are_demanded(passwords: Passwords) -> None:
    assert passwords.digest("mmnnmmnn")


@pytest.mark.parametrize("typed", ["ﾊﾟｽﾜｰﾄﾞはながい", "パスワードはながい"])
def test_a_password_matches_in_another_width(passwords: Passwords, typed: str) -> None:
    assert passwords.matches(typed, passwords.digest("パスワードはながい"))


def test_a_digest_of_a_password_as_it_was_typed_stays_good(passwords: Passwords) -> None:
    old = PasswordHash((Argon2Hasher(),)).hash("ﾊﾟｽﾜｰﾄﾞはながい")
    assert passwords.matches("ﾊﾟｽﾜｰﾄﾞはながい", old)


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "PassWord",
        "qwertyuiop",
        "1234567890",
        "ｐａｓｓｗｏｒｄ",
        "ImageFlow Server",
        "aaaaaaaaaaaaaaa",
        "123456789012345",
        "abcdefghijklmnop",
        "qwertyuiopasdfgh",
        "passwordpassword",
        "password1234567",
        "1234567password",
        "password password",
        "letmein" * 30,
    ],
)
def test_a_password_that_is_tried_first_is_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        passwords.digest(password)
    assert refused.value.code == "password-common"


@pytest.mark.parametrize("password", ["sato.hanako", "SATO.HANAKO", "佐藤 花子 検査係", "sato.hanakosato.hanako"])
def test_a_name_of_the_account_is_no_password_of_it(passwords: Passwords, password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        passwords.digest(password, "sato.hanako", "佐藤 花子 検査係")
    assert refused.value.code == "password-common"


@pytest.mark.parametrize("password", ["password of mine", "our dog is called 123", "rot rot rot blau"])
def test_a_common_word_within_a_longer_password_is_no_reason(passwords: Passwords, password: str) -> None:
    assert passwords.matches(password, passwords.digest(password))
