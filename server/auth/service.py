"""Sign-in, refresh and sign-out; each call is one unit of work."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from sqlalchemy.orm import Session

from models.clock import utc_now
from models.devices import Device
from models.errors import NotSignedIn
from models.ids import new_id
from models.states import DeviceStatus
from models.users import AuthSession, User, user_by_name
from server.audit import audited, differences
from server.auth.identity.principal import Principal
from server.auth.identity.repository import active_device, active_user, password_digest
from server.auth.identity.secrets import digest_of, same_digest
from server.auth.identity.tokens import Token, TokenKind
from server.auth.refusals import Refusal, record_refusal
from server.auth.schemas import Identity
from server.context import ServerContext
from sync.shared.problems import DEVICE_REFUSED, DEVICE_REVOKED
from sync.shared.sign_in import DeviceToken, TokenPair

_DISABLED, _REVOKED = "disabled", "revoked"


def sign_in(context: ServerContext, username: str, password: str, address: str) -> TokenPair:
    """Check name and password and begin a signed-in session.

    Raises:
        NotSignedIn: ``sign-in-refused``, the same for every reason.
        TooManyRequests: ``sign-in-too-often``.
    """
    return _sign_in(context, username, password, address, None)


def sign_in_at_station(
    context: ServerContext, username: str, password: str, address: str, *, device_id: str, credential: str
) -> TokenPair:
    """Check user and station and begin a session that is bound to the station.

    Raises:
        NotSignedIn: ``device-wrong`` or ``sign-in-refused``.
        TooManyRequests: ``sign-in-too-often``.
    """
    station = check_device(context, device_id, credential, address)
    return _sign_in(context, username, password, address, station)


def sign_in_device(context: ServerContext, device_id: str, credential: str, address: str) -> DeviceToken:
    """Check a station's credential and return a token for it alone.

    Raises:
        NotSignedIn: ``device-wrong``.
        TooManyRequests: ``sign-in-too-often``.
    """
    station = check_device(context, device_id, credential, address)
    token = context.tokens.issue(Token(TokenKind.DEVICE, station.id, "", station.id, station.token_generation))
    return DeviceToken(access_token=token, expires_in=_seconds(context, TokenKind.DEVICE))


def identity_of(context: ServerContext, who: Principal) -> Identity:
    """Return who a request comes from, as its client is shown."""
    with context.database.read() as session:
        user = session.get(User, who.user_id) if who.user_id is not None else None
    kind: Literal["user", "machine", "station"] = "user" if user else "station" if who.role is None else "machine"
    return Identity(
        kind=kind,
        user_id=who.user_id,
        username=who.username,
        display_name=user.display_name if user else "",
        role=who.role,
        language=user.language if user else None,
        device_id=who.device_id,
    )


def check_device(context: ServerContext, device_id: str, credential: str, address: str) -> Device:
    """Check a station's credential, note that the station was seen, and return it.

    Raises:
        NotSignedIn: ``device-wrong`` for an unknown or disabled station and for a wrong credential; ``device-revoked``
            for the right credential of a revoked one, which shall wipe it.
        TooManyRequests: ``sign-in-too-often``.
    """
    attempt = context.limiter.device(device_id, address)
    with context.database.local_transaction() as session:
        known = session.get(Device, device_id)
        refusal = None if known is None else _why_refused(known, credential)
        if known is not None and refusal is None:
            known.last_seen_at = utc_now()
            who = replace(Principal.of_device(known.id), address=address)
            audited(session, who, "device.signed-in", "device", known.id)
        else:
            claimed, reason = (known.id if known else ""), refusal or "unknown"
            record_refusal(session, Refusal("device.refused", "device", claimed, reason, address))
    if known is None or refusal is not None:
        raise NotSignedIn(DEVICE_REVOKED if refusal == _REVOKED else DEVICE_REFUSED)
    attempt.succeeded()
    return known


def refresh(context: ServerContext, refresh_token: str, address: str = "") -> TokenPair:
    """Exchange a refresh token for a new pair; a second use of one ends the session, as it may have been stolen.

    Raises:
        NotSignedIn: ``refresh-reused``, ``token-expired`` or ``token-invalid``.
    """
    token = context.tokens.read(refresh_token, TokenKind.REFRESH)
    with context.database.local_transaction() as session:
        found = session.get(AuthSession, token.session_id, with_for_update=True)
        user = active_user(session, token.subject)
        if found is None or user is None or found.revoked_at is not None or found.expires_at <= utc_now():
            raise NotSignedIn("token-invalid")
        if found.device_id is not None and active_device(session, found.device_id) is None:
            raise NotSignedIn("token-invalid")
        reused = not same_digest(found.refresh_digest, digest_of(refresh_token))
        if reused:
            found.revoked_at = utc_now()
            audited(session, _as_principal(user, found, address), "auth.refresh-reused", "auth_session", found.id)
        else:
            pair = _pair(context, session, user, found)
            audited(session, _as_principal(user, found, address), "auth.refreshed", "auth_session", found.id)
    if reused:
        raise NotSignedIn("refresh-reused")
    return pair


def sign_out(context: ServerContext, who: Principal) -> None:
    """End the signed-in session of a token; a machine's key or a station by itself has none to end."""
    with context.database.local_transaction() as session:
        found = session.get(AuthSession, who.session_id, with_for_update=True) if who.session_id else None
        if found is not None and found.revoked_at is None:
            found.revoked_at = utc_now()
            changes = differences({}, {"revoked_at": found.revoked_at})
            audited(session, who, "auth.signed-out", "auth_session", found.id, changes=changes)


def _sign_in(context: ServerContext, username: str, password: str, address: str, station: Device | None) -> TokenPair:
    device_id = station.id if station is not None else None
    attempt = context.limiter.user(username, address)
    with context.database.read() as session:
        known = user_by_name(session, username)
        user_id = known.id if known else None
        # Asked for an unknown name too: the time tells nobody which names there are.
        digest = password_digest(session, user_id or "")
    right = context.passwords.matches(password, digest)
    with context.database.local_transaction() as session:
        user = _user_or_reason(session, user_id, digest, station, right=right)
        if isinstance(user, str):
            refusal = Refusal("auth.refused", "user", user_id or "", user, address, device_id)
            record_refusal(session, refusal)
        else:
            now = utc_now()
            begun = AuthSession(
                user_id=user.id,
                device_id=device_id,
                refresh_digest=new_id(),
                expires_at=now + context.tokens.lives[TokenKind.REFRESH],
            )
            session.add(begun)
            pair = _pair(context, session, user, begun)
            audited(session, _as_principal(user, begun, address), "auth.signed-in", "auth_session", begun.id)
    if isinstance(user, str):
        context.metrics.sign_ins.labels("refused").inc()
        raise NotSignedIn("sign-in-refused")
    context.metrics.sign_ins.labels("accepted").inc()
    attempt.succeeded()
    return pair


def _user_or_reason(
    session: Session, user_id: str | None, digest: str | None, station: Device | None, *, right: bool
) -> User | str:
    """Return the user who signs in, or why nobody does.

    User and station are locked: whoever disables one of them or changes the password at this moment ends the new
    session too.

    Args:
        session: the transaction that begins the signed-in session.
        user_id: of the name that was given; None when there is no such user.
        digest: of the password, as it was checked.
        station: where the user signs in, as it was checked.
        right: whether the password is that of the digest.
    """
    if user_id is None:
        return "unknown"
    if not right:
        return "wrong-password"
    user = active_user(session, user_id, locked=True)
    if user is None:
        return _DISABLED
    if password_digest(session, user.id, locked=True) != digest:
        return "password-changed"
    if station is not None and not _is_as_before(session, station):
        return "station-disabled"
    return user


def _why_refused(known: Device, credential: str) -> str | None:
    """Return why a station is not let in; None when it is."""
    if not same_digest(digest_of(credential), known.credential_digest):
        return "wrong-credential"
    if known.status is DeviceStatus.REVOKED:
        return _REVOKED
    return None if known.status is DeviceStatus.ACTIVE else _DISABLED


def _is_as_before(session: Session, station: Device) -> bool:
    now = active_device(session, station.id, locked=True)
    return now is not None and now.token_generation == station.token_generation


def _pair(context: ServerContext, session: Session, user: User, signed_in: AuthSession) -> TokenPair:
    refresh_token = context.tokens.issue(Token(TokenKind.REFRESH, user.id, signed_in.id, signed_in.device_id))
    signed_in.refresh_digest = digest_of(refresh_token)
    session.flush()
    return TokenPair(
        access_token=context.tokens.issue(Token(TokenKind.ACCESS, user.id, signed_in.id, signed_in.device_id)),
        refresh_token=refresh_token,
        expires_in=_seconds(context, TokenKind.ACCESS),
    )


def _as_principal(user: User, signed_in: AuthSession, address: str) -> Principal:
    return Principal(user.id, user.username, user.role, signed_in.device_id, signed_in.id, address=address)


def _seconds(context: ServerContext, kind: TokenKind) -> int:
    return int(context.tokens.lives[kind].total_seconds())
