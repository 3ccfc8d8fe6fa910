"""Whether anybody can sign in yet."""

from __future__ import annotations

from sqlalchemy import select

from models.users import User
from server.context import ServerContext


def has_users(context: ServerContext) -> bool:
    """Return whether there is a user."""
    with context.database.read() as session:
        return session.scalar(select(User.id).where(User.deleted_at.is_(None)).limit(1)) is not None
