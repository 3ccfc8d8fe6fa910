"""Names that are drawn for objects that nobody takes the digest of."""

from __future__ import annotations

from models.storage import is_digest
from server.objects.keys import drawn_name


def test_drawn_names_differ() -> None:
    assert len({drawn_name() for _ in range(100)}) == 100


def test_a_drawn_name_has_the_form_of_a_digest() -> None:
    assert is_digest(drawn_name())
