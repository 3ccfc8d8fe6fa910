"""Signing in: with the server when it answers, else with what an earlier sign-in on this station left."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.orm import Session

from app.station.applied_settings import applied_settings
from app.station.operations.users import SignedInUser
from models.audit import append_audit
from models.clock import utc_now
from models.errors import NotSignedIn, Unavailable, UserFacingError
from models.passwords import prepared, spellings
from models.users import User, UserCredential, user_by_name
from sync.shared.problems import DEVICE_REFUSED, code_of
from sync.station.client import ServerClient

if TYPE_CHECKING:
    from app.station.workspace import Workspace

_REFUSED = "sign-in-refused"
"""What the server says of a wrong name or password, and of a disabled user."""


def sign_in(workspace: Workspace, username: str, password: str) -> SignedInUser:
    """Sign a person in.

    The server decides when it answers; an Argon2 digest of the password is then kept on this station, and counts for
    ``offline_sign_in_days`` when the server does not answer or refuses the station. A password never
    leaves this function otherwise.

    Raises:
        Conflict: ``not-enrolled``.
        NotSignedIn: ``sign-in-wrong``, ``user-disabled``, ``sign-in-never-online``, ``sign-in-expired``, or what the
            server says of this device.
        Unavailable: ``user-not-here`` when the users have not come to this station yet.
    """
    workspace.require_device()
    name = username.strip()
    try:
        _ask_server(workspace, name, password)
    except Unavailable:
        return _offline(workspace, name, password)
    except NotSignedIn as error:
        if code_of(error) == DEVICE_REFUSED:
            return _without_device(workspace, name, password, error)
        if code_of(error) != _REFUSED:
            raise
        _forget(workspace, name)
        raise NotSignedIn("sign-in-wrong") from error
    return _online(workspace, name, password)


def _without_device(workspace: Workspace, username: str, password: str, refusal: NotSignedIn) -> SignedInUser:
    """Sign in by what is kept here: the server refused the station and has not looked at the user."""
    # The next pass reports to the window that the station is refused.
    workspace.request_sync()
    try:
        return _offline(workspace, username, password)
    except NotSignedIn as error:
        if error.code == "sign-in-never-online":
            raise refusal from error
        raise


def _ask_server(workspace: Workspace, username: str, password: str) -> None:
    """Let the server check user and device; only the user where the keyring has lost the device's credential.

    The session that the server opens is closed at once: what the station sends, it sends as the device.
    """
    alone = None
    if workspace.needs_credential:
        alone = ServerClient(
            workspace.link.server_url,
            timeout_s=workspace.settings.request_timeout_s,
            language=lambda: workspace.text_language,
        )
    client = alone or workspace.link.client
    try:
        tokens = client.login(username, password)
        with suppress(UserFacingError):
            client.logout(tokens.access_token)
    finally:
        if alone is not None:
            alone.close()


def sign_out(workspace: Workspace, user: SignedInUser) -> None:
    """Record that a person has left the station.

    Raises:
        Unavailable: when the store cannot be written.
    """
    with workspace.database.transaction(actor=user.user_id) as session:
        _audit(workspace, session, user.username, user.user_id, "user.signed-out", online=user.online)


def _online(workspace: Workspace, username: str, password: str) -> SignedInUser:
    if not _known(workspace, username):
        workspace.link.engine.run_once()
    # Slow on purpose, so not within the transaction that keeps other writers waiting.
    digest = _hasher().hash(prepared(password))
    with workspace.database.transaction() as session:
        user = user_by_name(session, username)
        if user is None:
            raise Unavailable("user-not-here", username=username)
        _require_active(user)
        credential = session.get(UserCredential, user.id)
        if credential is None:
            credential = UserCredential(user_id=user.id, password_digest=digest)
            session.add(credential)
        credential.password_digest = digest
        credential.updated_at = utc_now()
        days = applied_settings(session, workspace.device_id, workspace.settings).offline_sign_in_days
        credential.expires_at = utc_now() + timedelta(days=days)
        _audit(workspace, session, user.username, user.id, "user.signed-in", online=True)
        return _signed_in(user, online=True)


def _offline(workspace: Workspace, username: str, password: str) -> SignedInUser:
    with workspace.database.read() as session:
        user = user_by_name(session, username)
        credential = session.get(UserCredential, user.id) if user else None
        days = applied_settings(session, workspace.device_id, workspace.settings).offline_sign_in_days
    if user is None or credential is None:
        raise NotSignedIn("sign-in-never-online", username=username)
    if not any(_hasher().verify(one, credential.password_digest) for one in spellings(password)):
        raise NotSignedIn("sign-in-wrong")
    _require_active(user)
    # What the server has set since the sign-in may be shorter.
    latest = credential.updated_at + timedelta(days=days)
    if credential.expires_at is None or min(credential.expires_at, latest) < utc_now():
        raise NotSignedIn("sign-in-expired", username=username, days=days)
    with workspace.database.transaction() as session:
        _audit(workspace, session, user.username, user.id, "user.signed-in", online=False)
    return _signed_in(user, online=False)


def _forget(workspace: Workspace, username: str) -> None:
    """Drop the kept digest of a user whom the server refuses, so that the old password does not work offline."""
    with workspace.database.transaction() as session:
        user = user_by_name(session, username)
        credential = session.get(UserCredential, user.id) if user else None
        if credential is not None:
            session.delete(credential)


def _known(workspace: Workspace, username: str) -> bool:
    with workspace.database.read() as session:
        return user_by_name(session, username) is not None


def _require_active(user: User) -> None:
    if not user.active:
        raise NotSignedIn("user-disabled", username=user.username)


def _signed_in(user: User, *, online: bool) -> SignedInUser:
    return SignedInUser(
        user_id=user.id,
        username=user.username,
        display_name=user.display_name or user.username,
        role=user.role,
        language=user.language,
        online=online,
    )


def _audit(workspace: Workspace, session: Session, username: str, user_id: str, action: str, *, online: bool) -> None:
    append_audit(
        session,
        device_id=workspace.device_id,
        actor=username,
        action=action,
        subject="user",
        subject_id=user_id,
        detail={"online": online},
    )


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))
