"""Sign-in, refresh, sign-out, keys and stations over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest
from pwdlib import PasswordHash
from sqlalchemy import select, text

from models.audit import AuditEntry, verify_audit
from models.clock import utc_now
from models.devices import EnrolmentCode
from models.ids import new_id
from models.users import AuthSession
from server.auth.identity.secrets import digest_of
from tests.support.serving import PASSWORD, Served, device_token, enrol, serve_with_users


def problem_code(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).rpartition("/")[2]


def test_a_signed_in_user_is_known_by_its_token(served: Served) -> None:
    pair = served.sign_in("inspector")
    assert pair["token_type"] == "bearer"
    assert pair["expires_in"] == 60 * served.context.settings.access_token_minutes
    with served.client(Authorization=f"Bearer {pair['access_token']}") as client:
        assert client.get("/users/me").json()["username"] == "inspector"


def test_the_same_routes_answer_under_the_short_prefix(served: Served) -> None:
    with httpx.Client(base_url=served.url, headers=served["admin"].headers, trust_env=False, timeout=60) as client:
        assert client.get("/v1/users/me").json() == client.get("/api/v1/users/me").json()


@pytest.mark.parametrize(("name", "password"), [("inspector", "wrong"), ("nobody", PASSWORD), ("nobody", "x\0y")])
def test_a_wrong_name_gets_the_answer_of_a_wrong_password(served: Served, name: str, password: str) -> None:
    answer = served["anonymous"].post("/auth/login", json={"username": name, "password": password})
    assert answer.status_code == 401
    assert problem_code(answer) == "sign-in-refused"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_digest_is_checked_for_an_unknown_user_as_for_a_wrong_password(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    verify = PasswordHash.verify

    def counted(self: PasswordHash, password: str, digest: str) -> bool:
        checked.append(password)
        return verify(self, password, digest)

    monkeypatch.setattr(PasswordHash, "verify", counted)
    for name in ("inspector", "nobody"):
        served["anonymous"].post("/auth/login", json={"username": name, "password": f"wrong for {name}"})
    assert checked == ["wrong for inspector", "wrong for nobody"]


def test_the_second_use_of_a_refresh_token_ends_the_session(served: Served) -> None:
    first = served.sign_in("inspector")
    second = served["anonymous"].post("/auth/refresh", json={"refresh_token": first["refresh_token"]}).json()
    assert second["refresh_token"] != first["refresh_token"]
    again = served["anonymous"].post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert (again.status_code, problem_code(again)) == (401, "refresh-reused")
    late = served["anonymous"].post("/auth/refresh", json={"refresh_token": second["refresh_token"]})
    assert (late.status_code, problem_code(late)) == (401, "token-invalid")
    with served.client(Authorization=f"Bearer {second['access_token']}") as client:
        assert client.get("/users/me").status_code == 401


def test_signing_out_invalidates_both_tokens(served: Served) -> None:
    pair = served.sign_in("inspector")
    with served.client(Authorization=f"Bearer {pair['access_token']}") as client:
        assert client.post("/auth/logout").status_code == 204
        assert client.get("/users/me").status_code == 401
        assert client.post("/auth/refresh", json={"refresh_token": pair["refresh_token"]}).status_code == 401


def test_a_token_is_good_for_its_own_purpose_only(served: Served) -> None:
    pair = served.sign_in("inspector")
    with served.client(Authorization=f"Bearer {pair['refresh_token']}") as client:
        assert problem_code(client.get("/users/me")) == "token-invalid"
    answer = served["anonymous"].post("/auth/refresh", json={"refresh_token": pair["access_token"]})
    assert problem_code(answer) == "token-invalid"


def test_a_token_signed_with_another_key_or_with_none_is_refused(served: Served) -> None:
    claims = jwt.decode(served.sign_in("inspector")["access_token"], options={"verify_signature": False})
    for forged in (jwt.encode(claims, "k" * 64, algorithm="HS256"), jwt.encode(claims, None, algorithm="none")):
        with served.client(Authorization=f"Bearer {forged}") as client:
            assert problem_code(client.get("/users/me")) == "token-invalid"


def test_a_session_that_has_run_out_is_refused(served: Served) -> None:
    pair = served.sign_in("inspector")
    digest = digest_of(pair["refresh_token"])
    with served.context.database.transaction() as session:
        found = session.scalars(select(AuthSession).where(AuthSession.refresh_digest == digest)).one()
        found.expires_at = utc_now()
    with served.client(Authorization=f"Bearer {pair['access_token']}") as client:
        assert client.get("/users/me").status_code == 401


@pytest.mark.slow
def test_too_many_wrong_passwords_are_answered_with_how_long_to_wait(tmp_path: Path) -> None:
    with serve_with_users(tmp_path, sign_in_attempts=3) as served:
        answers = [
            served["anonymous"].post("/auth/login", json={"username": "inspector", "password": "wrong"})
            for _ in range(4)
        ]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert problem_code(answers[3]) == "sign-in-too-often"
        assert 1 <= int(answers[3].headers["retry-after"]) <= 60
        assert answers[3].json()["retry_after"] == int(answers[3].headers["retry-after"])
        served.sign_in("supervisor")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that takes two failures; every test uses names of its own."""
    with serve_with_users(tmp_path_factory.mktemp("strict"), sign_in_attempts=2) as served:
        yield served


def wrong_sign_in(served: Served, username: str) -> int:
    answer = served["anonymous"].post("/auth/login", json={"username": username, "password": "wrong"})
    return answer.status_code


def test_right_sign_ins_from_one_address_are_never_too_many(strict: Served) -> None:
    enrolled = enrol(strict)
    for _ in range(30):
        assert strict["anonymous"].post("/tauri/auth/device", json=enrolled).status_code == 200


def test_a_user_name_that_reads_like_a_station_locks_no_station(strict: Served) -> None:
    enrolled = enrol(strict)
    name = f"device:{enrolled['device_id']}"
    assert [wrong_sign_in(strict, name) for _ in range(3)] == [401, 401, 429]
    device_token(strict, enrolled)


def test_names_that_differ_in_case_or_width_share_their_failures(strict: Served) -> None:
    assert [wrong_sign_in(strict, name) for name in ("other", "OTHER", "ｏｔｈｅｒ")] == [401, 401, 429]


def test_a_right_sign_in_forgets_the_failures_of_its_name(strict: Served) -> None:
    for _ in range(3):
        assert wrong_sign_in(strict, "inspector") == 401
        strict.sign_in("inspector")


def test_a_disabled_user_is_out_at_once(served: Served) -> None:
    admin = served["admin"]
    body = {"username": "leaver", "role": "inspector", "password": PASSWORD}
    user = admin.post("/users", json=body).json()
    token = served.sign_in("leaver")["access_token"]
    assert admin.put(f"/users/{user['id']}", json={"active": False}).json()["active"] is False
    with served.client(Authorization=f"Bearer {token}") as client:
        assert client.get("/users/me").status_code == 401
    refused = served["anonymous"].post("/auth/login", json={"username": "leaver", "password": PASSWORD})
    assert refused.status_code == 401


def test_a_person_changes_the_password_knowing_the_old_one(served: Served) -> None:
    body = {"username": "changer", "role": "inspector", "password": PASSWORD}
    served["admin"].post("/users", json=body)
    token = served.sign_in("changer")["access_token"]
    with served.client(Authorization=f"Bearer {token}") as client:
        wrong = client.put("/users/me/password", json={"current_password": "no", "new_password": "another password"})
        assert (wrong.status_code, problem_code(wrong)) == (403, "password-wrong")
        right = client.put(
            "/users/me/password", json={"current_password": PASSWORD, "new_password": "another password"}
        )
        assert right.status_code == 204
    served.sign_in("changer", "another password")


def test_the_last_administrator_can_neither_be_disabled_nor_deleted(served: Served) -> None:
    admin = served["admin"]
    me = admin.get("/users/me").json()["id"]
    for answer in (admin.put(f"/users/{me}", json={"active": False}), admin.delete(f"/users/{me}")):
        assert (answer.status_code, problem_code(answer)) == (409, "last-admin")
    assert admin.get("/users/me").status_code == 200


def test_an_api_key_acts_with_its_role_until_it_is_revoked(served: Served) -> None:
    created = served["admin"].post("/api-keys", json={"name": "MES", "role": "supervisor"}).json()
    with served.client(**{"X-API-Key": created["key"]}) as client:
        assert client.get("/inspection/targets").status_code == 200
        assert client.post("/inspection/targets", json={"code": "by-key", "name": "K"}).status_code == 201
        assert client.get("/users").status_code == 403
        assert served["admin"].delete(f"/api-keys/{created['id']}").status_code == 204
        assert problem_code(client.get("/inspection/targets")) == "key-invalid"
    listed = served["admin"].get("/api-keys").json()["items"]
    assert all("key" not in entry for entry in listed)


def test_an_enrolment_code_is_good_once_whatever_its_spelling(served: Served) -> None:
    code = served["admin"].post("/enrolment-codes", json={"device_name": "Line 1"}).json()["code"]
    typed = {"code": f" {code.lower().replace('-', ' ')} "}
    assert served["anonymous"].post("/tauri/devices/register", json=typed).status_code == 201
    again = served["anonymous"].post("/tauri/devices/register", json=typed)
    assert (again.status_code, problem_code(again)) == (401, "enrolment-code-wrong")


def test_an_old_enrolment_code_is_refused(served: Served) -> None:
    created = served["admin"].post("/enrolment-codes", json={"device_name": "Line 2"}).json()
    with served.context.database.transaction() as session:
        session.get_one(EnrolmentCode, created["id"]).expires_at = utc_now()
    answer = served["anonymous"].post("/tauri/devices/register", json={"code": created["code"]})
    assert problem_code(answer) == "enrolment-code-wrong"


def test_a_user_signs_in_together_with_the_station_by_its_credential(served: Served) -> None:
    enrolled = enrol(served)
    person = {"username": "inspector", "password": PASSWORD}
    pair = served["anonymous"].post("/tauri/auth/login", json={**person, **enrolled})
    assert pair.status_code == 200
    with served.client(Authorization=f"Bearer {pair.json()['access_token']}") as client:
        assert client.get("/tauri/config").json()["device_id"] == enrolled["device_id"]
    wrong = {**person, **enrolled, "credential": "ifd_wrong"}
    answer = served["anonymous"].post("/tauri/auth/login", json=wrong)
    assert (answer.status_code, problem_code(answer)) == (401, "device-wrong")


def test_a_disabled_station_is_out_at_once(served: Served) -> None:
    enrolled = enrol(served)
    token = device_token(served, enrolled)
    with served.client(Authorization=f"Bearer {token}") as client:
        assert client.get("/tauri/config").status_code == 200
        url = f"/devices/{enrolled['device_id']}"
        assert served["admin"].put(url, json={"status": "disabled"}).status_code == 200
        assert client.get("/tauri/config").status_code == 401
    assert problem_code(served["anonymous"].post("/tauri/auth/device", json=enrolled)) == "device-wrong"


def test_a_stations_own_settings_go_over_those_for_all(served: Served) -> None:
    enrolled = enrol(served)
    admin = served["admin"]
    everyone = {"settings": {"sync_interval_s": 60, "language": "ja"}}
    assert admin.put("/tauri/config", json=everyone).status_code == 200
    own = {"device_id": enrolled["device_id"], "settings": {"sync_interval_s": 5}}
    assert admin.put("/tauri/config", json=own).status_code == 200
    with served.client(Authorization=f"Bearer {device_token(served, enrolled)}") as client:
        settings = client.get("/tauri/config").json()["settings"]
    assert (settings["sync_interval_s"], settings["language"]) == (5, "ja")


def test_a_threshold_of_a_station_does_not_take_the_model_from_the_settings_for_all(served: Served) -> None:
    enrolled = enrol(served)
    admin, item = served["admin"], new_id()
    everyone = {"thresholds": {item: 7.5}, "threshold_models": {item: "a" * 64}}
    own = {"thresholds": {item: 6.5}}
    try:
        assert admin.put("/tauri/config", json={"settings": everyone}).status_code == 200
        with served.client(Authorization=f"Bearer {device_token(served, enrolled)}") as client:
            assert client.get("/tauri/config").json()["settings"].items() >= everyone.items()
            answer = admin.put("/tauri/config", json={"device_id": enrolled["device_id"], "settings": own})
            assert answer.status_code == 200
            settings = client.get("/tauri/config").json()["settings"]
        assert (settings["thresholds"], settings.get("threshold_models")) == ({item: 6.5}, None)
        wrong = {"settings": {**everyone, "threshold_models": {item: "the newest"}}}
        assert admin.put("/tauri/config", json=wrong).status_code == 400
    finally:
        assert admin.put("/tauri/config", json={"settings": {}}).status_code == 200


def test_secrets_are_nowhere_in_the_database_in_clear(served: Served) -> None:
    enrolled = enrol(served)
    pair = served.sign_in("inspector")
    key = served["admin"].post("/api-keys", json={"name": "clear", "role": "integrator"}).json()["key"]
    secrets = (PASSWORD, enrolled["credential"], pair["refresh_token"], pair["access_token"], key)
    with served.context.database.read() as session:
        tables = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        for table in tables:
            rows = str(session.execute(text(f'SELECT * FROM "{table}"')).all())  # noqa: S608 - names of our own
            assert not [secret for secret in secrets if secret in rows], table


def test_sign_ins_are_kept_in_the_audit_chain(served: Served) -> None:
    served.sign_in("inspector")
    with served.context.database.read() as session:
        query = select(AuditEntry).where(AuditEntry.actor == "inspector", AuditEntry.action == "auth.signed-in")
        assert session.scalars(query).first() is not None
        assert verify_audit(session) == []


def test_everybody_learns_who_they_are(served: Served) -> None:
    me = {role: served[role].get("/auth/me").json() for role in ("supervisor", "device")}
    assert (me["supervisor"]["kind"], me["supervisor"]["role"]) == ("user", "supervisor")
    assert (me["device"]["kind"], me["device"]["role"], me["device"]["user_id"]) == ("station", None, None)
    assert me["device"]["device_id"]
    assert served["anonymous"].get("/auth/me").status_code == 401
