"""On PostgreSQL only writes that travel take the order lock; nothing else waits while another writer holds it."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from app.benchmarks import private_postgresql
from models.audit import append_audit, verify_audit
from models.database import Database
from models.errors import NotSignedIn
from models.ids import new_id
from models.states import Role
from models.sync import ChangeLogEntry
from models.targets import Target
from models.users import AuthSession, User
from server.audit import audited
from server.auth.identity.principal import Principal
from server.auth.identity.repository import active_user, password_digest
from server.auth.service import refresh, sign_in, sign_out
from server.context import ServerContext, open_context
from server.core.paging import PageQuery
from server.core.settings import ServerSettings
from server.devices.codes import create_code
from server.devices.service import register
from server.files.service import store_file
from server.masters.kinds import targets
from server.sync.blobs import Uploads
from server.sync.maintenance import clear_away
from server.users.keys import create_key
from server.users.schemas import ApiKeyCreate, UserCreate
from server.users.service import create_user, list_users, set_password
from sync.shared.enrolment import DeviceRegister
from tests.support.errors import raised_in
from tests.support.images import png

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery staple"
ADMIN = Principal(None, "admin", Role.ADMIN, None)
DEADLINE_S = 20.0


@pytest.fixture
def parts(postgresql_socket: str, newest_postgresql: str, tmp_path: Path) -> Iterator[ServerContext]:
    """A server's parts on a PostgreSQL database, with the user ``anna``."""
    with private_postgresql.database(postgresql_socket, f"t{new_id()}", newest_postgresql) as url:
        opened = open_context(ServerSettings(data_dir=tmp_path / "data", database_url=url))
        create_user(opened, ADMIN, UserCreate(username="anna", role=Role.INSPECTOR, password=PASSWORD))
        yield opened
        opened.close()


def anna(parts: ServerContext) -> Principal:
    token = parts.tokens.read(sign_in(parts, "anna", PASSWORD, "-").access_token, *parts.tokens.lives)
    return Principal(token.subject, "anna", Role.INSPECTOR, None, token.session_id)


def refused_sign_in(parts: ServerContext) -> object:
    with pytest.raises(NotSignedIn) as refused:
        sign_in(parts, "anna", "wrong", "-")
    return refused.value.code


def write_audit(parts: ServerContext) -> object:
    with parts.database.local_transaction() as session:
        audited(session, ADMIN, "test.looked", "user", "x")
    return True


def begin_enrolment(parts: ServerContext) -> object:
    code = create_code(parts, ADMIN, "Line 1").code
    return register(parts, DeviceRegister(code=code), "-")


def maintain(parts: ServerContext) -> object:
    clear_away(parts.database, Uploads(parts.database, parts.objects, parts.settings.data_dir / "staging"))
    return True


NEED_NO_ORDER: dict[str, Callable[[ServerContext], object]] = {
    "sign-in": lambda parts: sign_in(parts, "anna", PASSWORD, "-"),
    "refused sign-in": refused_sign_in,
    "refresh": lambda parts: refresh(parts, sign_in(parts, "anna", PASSWORD, "-").refresh_token),
    "sign-out": lambda parts: (sign_out(parts, anna(parts)), True),
    "audit entry": write_audit,
    "API key": lambda parts: create_key(parts, ADMIN, ApiKeyCreate(name="mes", role=Role.INTEGRATOR)),
    "enrolment": begin_enrolment,
    "password": lambda parts: (set_password(parts, ADMIN, anna(parts).user_id or "", PASSWORD), True),
    "uploaded file": lambda parts: store_file(parts, ADMIN, "a.png", io.BytesIO(png())),
    "maintenance": maintain,
    "read": lambda parts: list_users(parts, PageQuery(1, 50, "")),
}


@pytest.mark.parametrize("work", NEED_NO_ORDER)
def test_what_does_not_travel_goes_on_while_the_order_lock_is_held(parts: ServerContext, work: str) -> None:
    with parts.database.transaction():
        # One that waited for the lock would give up with Unavailable here: the lock ends with the block.
        assert NEED_NO_ORDER[work](parts)


def test_a_write_that_travels_waits_for_the_order_lock(parts: ServerContext) -> None:
    content = {"code": "late", "name": "L", "version": "1", "description": ""}
    writer = threading.Thread(target=lambda: targets.create(parts, ADMIN, None, content))
    with parts.database.transaction() as held:
        writer.start()
        await_waiting_lock(parts, "advisory")
        held.add(Target(code="early", name="E"))
    writer.join(DEADLINE_S)
    with parts.database.read() as session:
        entries = session.scalars(
            select(ChangeLogEntry).where(ChangeLogEntry.entity == "target").order_by(ChangeLogEntry.position)
        ).all()
        assert [entry.fields["code"] for entry in entries] == ["early", "late"]


def test_many_writers_that_wait_for_the_order_lock_leave_connections_to_others(parts: ServerContext) -> None:
    made: list[str] = []

    def write(number: int) -> None:
        content = {"code": f"late-{number}", "name": "L", "version": "1", "description": ""}
        made.append(targets.create(parts, ADMIN, None, content)[0].id)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(48)]
    with parts.database.transaction():
        for writer in writers:
            writer.start()
        await_waiting_lock(parts, "advisory")
        assert all(sign_in(parts, "anna", PASSWORD, "-").access_token for _ in range(3))
    for writer in writers:
        writer.join(DEADLINE_S)
    assert len(made) == len(writers)


def test_a_session_begun_while_the_password_changes_ends_with_it(parts: ServerContext) -> None:
    user_id = anna(parts).user_id or ""
    changing = threading.Thread(target=lambda: set_password(parts, ADMIN, user_id, "another password"))
    with parts.database.local_transaction() as session:
        user = active_user(session, user_id, locked=True)
        assert user is not None
        assert password_digest(session, user.id, locked=True)
        changing.start()
        await_waiting_lock(parts, "transactionid")
        begun = AuthSession(user_id=user.id, refresh_digest=new_id(), expires_at=user.created_at)
        session.add(begun)
    changing.join(DEADLINE_S)
    with parts.database.read() as session:
        assert session.get_one(AuthSession, begun.id).revoked_at is not None


def test_a_record_that_travels_is_refused_in_a_local_transaction(context: ServerContext) -> None:
    with (  # noqa: PT012
        pytest.raises(RuntimeError, check=raised_in(Database)),
        context.database.local_transaction() as session,
    ):
        session.add(User(username="nobody", role=Role.ADMIN))
        session.flush()


def test_local_writers_at_once_keep_the_audit_chain_whole(context: ServerContext) -> None:
    start = threading.Barrier(8)

    def write() -> None:
        start.wait(DEADLINE_S)
        for _ in range(5):
            with context.database.local_transaction() as session:
                append_audit(session, device_id="server", actor="x", action="test.written")

    at_once(write, 8)
    with context.database.read() as session:
        assert verify_audit(session) == []


def test_the_same_file_stored_several_times_at_once_is_one_blob(context: ServerContext) -> None:
    start = threading.Barrier(4)
    replies = []

    def store() -> None:
        start.wait(DEADLINE_S)
        replies.append(store_file(context, ADMIN, "a.png", io.BytesIO(png()))[0].sha256)

    at_once(store, 4)
    assert len(replies) == 4
    assert len(set(replies)) == 1


def at_once(work: Callable[[], object], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def await_waiting_lock(parts: ServerContext, kind: str) -> None:
    """Return once some connection waits for a lock of this kind."""
    query = text("SELECT count(*) FROM pg_locks WHERE locktype = :kind AND NOT granted")
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        with parts.database.engine.connect() as connection:
            if connection.scalar(query, {"kind": kind}):
                return
    raise AssertionError(f"nobody waits for a lock of kind {kind}")
