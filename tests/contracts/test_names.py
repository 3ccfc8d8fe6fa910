"""Names on each engine: unique and found whatever their case and width, refused when they hide something."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models.errors import Conflict, NotSignedIn
from models.ids import new_id
from models.states import Role
from models.targets import Target
from models.users import User
from server.auth.service import sign_in
from server.context import ServerContext
from server.core.paging import PageQuery
from server.masters.kinds import defect_classes, targets
from server.masters.schemas import DefectClassCreate, TargetCreate, TargetUpdate
from server.sessions.repository import SessionFilter, listing
from server.users.schemas import UserCreate
from server.users.service import create_user, list_users
from sync.shared.protocol import ChangeResult, Outcome
from tests.support.pushing import AT, Pushing
from tests.support.serving import PASSWORD, SETUP
from tests.support.sync_stores import signed_in

SAME = [
    ("Ärger", "ÄRGER"),
    ("ärger", "a\u0308rger"),
    ("Straße", "STRASSE"),
    ("ABC12", "ａｂｃ１２"),
    ("ポンプ", "ﾎﾟﾝﾌﾟ"),
    ("ガス", "ｶﾞｽ"),
    ("株式会社", "㍿"),
    ("葛城", "葛\U000e0100城"),
    ("Ἀθήνα", "ἈΘΉΝΑ"),
]
ENDS = {"name_en": "Scratch", "name_ja": "傷"}


def search(context: ServerContext, text: str) -> list[str]:
    return [found.name for found in targets.page(context, PageQuery(1, 50, text)).items]


@pytest.mark.parametrize(("kept", "typed"), SAME)
def test_a_search_finds_a_name_in_any_case_or_width(context: ServerContext, kept: str, typed: str) -> None:
    for number, name in enumerate((kept, typed, "other")):
        targets.create(
            context, SETUP, None, TargetCreate(code=str(number), name=f"<{name}>").model_dump(exclude={"id"})
        )
    for text in (kept, typed):
        assert search(context, text) == [f"<{kept}>", f"<{typed}>"]


def test_a_search_takes_wildcards_for_what_they_are(context: ServerContext) -> None:
    for code, name in (("1", "50%"), ("2", "500"), ("3", "a_b"), ("4", "acb")):
        targets.create(context, SETUP, None, {"code": code, "name": name})
    assert (search(context, "５０％"), search(context, "A_B")) == (["50%"], ["a_b"])


def test_a_changed_name_is_found_by_its_new_form_alone(context: ServerContext) -> None:
    made, _ = targets.create(context, SETUP, None, {"code": "1", "name": "Öse"})
    targets.change(context, SETUP, made.id, TargetUpdate(name="Ähre"))
    assert (search(context, "öse"), search(context, "ähre")) == ([], ["Ähre"])


def test_sessions_are_found_by_a_serial_number_of_another_width(context: ServerContext) -> None:
    station = Pushing(context)
    station.push(station.part(serial_number="ｻﾝﾌﾟﾙ-Ａ１"), station.part(lot="other"))
    with context.database.read() as session:
        query = listing(SessionFilter(), "サンプル-a1")
        assert [found.serial_number for found in session.scalars(query)] == ["ｻﾝﾌﾟﾙ-Ａ１"]


@pytest.mark.parametrize("name", ["admin", "ADMIN", "Ａｄｍｉｎ"])
def test_a_user_name_is_taken_in_every_case_or_width(context: ServerContext, name: str) -> None:
    create_user(context, SETUP, UserCreate(username="Admin", role=Role.ADMIN, password=PASSWORD))
    with pytest.raises(Conflict) as refused:
        create_user(context, SETUP, UserCreate(username=name, role=Role.ADMIN, password=PASSWORD))
    assert refused.value.code == "username-taken"
    assert sign_in(context, name, PASSWORD, "-").access_token
    assert [user.username for user in list_users(context, PageQuery(1, 50, name)).items] == ["Admin"]


def test_a_user_name_of_full_width_is_kept_in_one_form(context: ServerContext) -> None:
    user, _ = create_user(context, SETUP, UserCreate(username="ｙａｍａｄａ", role=Role.ADMIN, password=PASSWORD))
    assert user.username == "yamada"


def test_a_target_code_is_taken_in_every_case_or_width(context: ServerContext) -> None:
    targets.create(context, SETUP, None, {"code": "P-1", "name": "A"})
    with pytest.raises(Conflict) as refused:
        targets.create(context, SETUP, None, TargetCreate(code="ｐ-１", name="B").model_dump(exclude={"id"}))
    assert refused.value.code == "code-taken"


def test_a_class_code_is_taken_in_every_case_or_width(context: ServerContext) -> None:
    defect_classes.create(context, SETUP, None, DefectClassCreate(code="NG", **ENDS).model_dump(exclude={"id"}))
    with pytest.raises(Conflict) as refused:
        defect_classes.create(context, SETUP, None, DefectClassCreate(code="ng", **ENDS).model_dump(exclude={"id"}))
    assert refused.value.code == "code-taken"


def test_a_code_may_change_its_case(context: ServerContext) -> None:
    made, _ = targets.create(context, SETUP, None, {"code": "p-1", "name": "A"})
    assert targets.change(context, SETUP, made.id, TargetUpdate(code="P-1")).code == "P-1"


def test_the_code_of_a_deleted_target_is_free_in_another_case(context: ServerContext) -> None:
    made, _ = targets.create(context, SETUP, None, {"code": "p-1", "name": "A"})
    targets.delete(context, SETUP, made.id)
    assert targets.create(context, SETUP, None, {"code": "P-1", "name": "B"})[1]


def push(context: ServerContext, entity: str, **fields: Any) -> ChangeResult:
    """Push a new record as an administrator who has signed in at the station."""
    boss = User(username=f"boss-{new_id()}", role=Role.ADMIN)
    station = Pushing(context, boss)
    with context.database.transaction() as session:
        session.add(signed_in(boss, station.device.id))
    (result,) = station.push(station.change(entity, {"created_at": AT, **fields}, user_id=boss.id))
    return result


def code_of(result: ChangeResult) -> str:
    assert result.outcome is Outcome.REJECTED
    assert result.problem is not None
    return str(result.problem["type"]).rpartition("/")[2]


def test_a_pushed_code_is_kept_in_the_same_form_as_one_over_rest(context: ServerContext) -> None:
    assert push(context, "target", code=" Ｐ１ ", name="N").outcome is Outcome.APPLIED
    with context.database.read() as session:
        assert session.scalars(select(Target.code).where(Target.name == "N")).all() == ["P1"]


def test_a_pushed_name_that_is_taken_in_another_case_is_refused(context: ServerContext) -> None:
    create_user(context, SETUP, UserCreate(username="Admin", role=Role.ADMIN, password=PASSWORD))
    targets.create(context, SETUP, None, {"code": "P1", "name": "A"})
    assert code_of(push(context, "user", username="ａｄｍｉｎ", role="inspector")) == "username-taken"
    assert code_of(push(context, "target", code="p1", name="N")) == "code-taken"


HIDDEN = ("\u200f", "\u200b", "\u202e", "\u2066", "\x07", "\x9b", "\u3164", "\ufeff")


@pytest.mark.parametrize(
    ("entity", "fields"),
    [
        ("user", {"username": "ad?min", "role": "inspector"}),
        ("user", {"username": "u", "display_name": "ad?min", "role": "inspector"}),
        ("target", {"code": "P?1", "name": "N"}),
        ("target", {"code": "P1", "name": "N?N"}),
        ("defect_class", {"code": "c", "name_en": "N?N", "name_ja": "N"}),
        ("model_file", {"name": "M?M", "model_kind": "anomaly", "sha256": "0" * 64, "size_bytes": 1}),
    ],
)
def test_a_pushed_name_that_hides_a_character_is_refused(
    context: ServerContext, entity: str, fields: dict[str, Any]
) -> None:
    for hidden in HIDDEN:
        given = {
            name: value.replace("?", hidden) if isinstance(value, str) else value for name, value in fields.items()
        }
        assert code_of(push(context, entity, **given)) == "sync-change-invalid", ascii(hidden)


def refusal_at_sign_in(context: ServerContext, name: str) -> str | None:
    try:
        sign_in(context, name, PASSWORD, "-")
    except NotSignedIn as error:
        return error.code
    return None


def test_an_unknown_name_is_not_found_by_folding(context: ServerContext) -> None:
    create_user(context, SETUP, UserCreate(username="admin", role=Role.ADMIN, password=PASSWORD))
    assert refusal_at_sign_in(context, "admin2") == "sign-in-refused"
