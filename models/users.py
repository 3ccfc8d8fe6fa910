"""Who may do what: users travel to stations; password digests, tokens and keys never do."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, String, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, UtcDateTime, enumeration
from models.clock import utc_now
from models.ids import new_id
from models.named import Searchable, UniquelyNamed, unique_while_kept
from models.names import key_of
from models.states import Role
from models.synced import ListedMaster


class User(ListedMaster, UniquelyNamed, Base, kw_only=True, eq=False):
    """A person or a machine with a role; ``username`` is unique in any case and width among those not deleted."""

    __tablename__ = "users"
    __table_args__ = (unique_while_kept("users", "username"), unique_while_kept("users", "name_key"))
    entity: ClassVar[str] = "user"
    unique_name: ClassVar[str] = "username"
    searched: ClassVar[tuple[str, ...]] = ("username", "display_name")

    username: Mapped[str] = mapped_column(String(64))
    display_name: Mapped[str] = mapped_column(String(200), default="")
    role: Mapped[Role] = mapped_column(enumeration(Role))
    language: Mapped[str] = mapped_column(String(8), default="ja")
    active: Mapped[bool] = mapped_column(default=True)


def user_by_name(session: Session, username: str) -> User | None:
    """Return the user of a name, active or not; case and width of the name do not matter.

    Of users from before that differ in them alone, each is found by its exact name.
    """
    same = or_(User.name_key == key_of(username), User.username == username)
    query = select(User).where(same, User.deleted_at.is_(None)).order_by((User.username == username).desc())
    return session.scalar(query.limit(1))


class UserCredential(Base, kw_only=True, eq=False):
    """Argon2 digest of a user's password, on the server; on a station the one made at an online sign-in there.

    Attributes:
        expires_at: when offline sign-in with it ends on a station; None on the server.
    """

    __tablename__ = "user_credentials"

    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    password_digest: Mapped[str] = mapped_column(String(255))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)


class AuthSession(Base, kw_only=True, eq=False):
    """A signed-in session on the server; its refresh token is kept as a SHA-256 digest and is good once."""

    __tablename__ = "auth_sessions"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    device_id: Mapped[str | None] = mapped_column(String(64), default=None)
    refresh_digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime())
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)


class ApiKey(Searchable, Base, kw_only=True, eq=False):
    """A machine's key: only its SHA-256 digest is kept (the key itself has 256 random bits).

    Attributes:
        created_by: who made it, as in the audit trail; empty where the trail does not say.
        created_by_id: the user who answers for it, with whose access it ends; None at the server's command line.
        scopes: values of ``ApiScope`` that it is limited to; empty leaves it to its role.
    """

    __tablename__ = "api_keys"
    searched: ClassVar[tuple[str, ...]] = ("name", "created_by")

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(enumeration(Role))
    key_digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    created_by: Mapped[str] = mapped_column(String(64), default="", server_default="")
    created_by_id: Mapped[str | None] = mapped_column(String(36), default=None, index=True)
    scopes: Mapped[list[Any]] = mapped_column(default_factory=list, server_default="[]")


class SignInCount(Base, kw_only=True, eq=False):
    """How many sign-ins of a kind failed within a window of time; ``key_digest`` says of what kind, and tells nobody.

    Attributes:
        expires_at: the end of the window.
    """

    __tablename__ = "sign_in_counts"

    key_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime(), index=True)
