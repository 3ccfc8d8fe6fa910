"""Errors as problem documents (RFC 9457) and back: what the server says of a change or a request it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from models.errors import (
    Conflict,
    DoesNotFit,
    Gone,
    InvalidInput,
    NotFound,
    NotSignedIn,
    PermissionDenied,
    TooLarge,
    TooManyRequests,
    Unavailable,
    UserFacingError,
)
from models.messages import LANGUAGES, ErrorText, LocalText, join_sentences
from sync.shared.protocol import MAX_BATCH_BYTES, MAX_BATCH_CHANGES

TYPE_BASE = "https://api.imageflowcanvas.com/errors/"

MISSING_PARENT = "missing-parent"
HELD_BACK = "sync-held-back"
FACT_IMMUTABLE = "sync-fact-immutable"
"""What the server says of a fact that it has with other values."""
BUSY = frozenset({"sync-busy", "too-many-connections"})
"""What a server says that is well and has no time now: no trouble to tell a person of."""
RETRY_AFTER = "retry_after"
"""Member of a problem: seconds, as in the header of that name."""
ENTITY_UNKNOWN = "sync-entity-unknown"
CREDENTIAL_MISSING = "device-credential-missing"
DEVICE_REFUSED = "device-wrong"
"""What the server says of a station it does not accept: unknown, disabled, or another credential."""
DEVICE_REVOKED = "device-revoked"
"""What the server says of a station that it never accepts again under its id; the station wipes its credential."""
MASTER_NOT_TAKEN = "master-not-taken"
"""What the server says of a master of before a restore until an administrator takes it."""
STORE_FORKED = "store-forked"
"""What the server says of a store when another one is the station's own; its member ``store_id_taken`` is true when
the id that was given is not this store's own."""

_BY_STATUS: dict[int, type[UserFacingError]] = {
    kind.status: kind
    for kind in (
        InvalidInput,
        NotSignedIn,
        PermissionDenied,
        NotFound,
        Conflict,
        Gone,
        TooLarge,
        DoesNotFit,
        TooManyRequests,
    )
}


def change_problem(error: UserFacingError, language: str = "en", *, retry: bool = False) -> dict[str, Any]:
    """Return the problem document of a refused change; ``retry`` says that it may be sent again as it is.

    One that is refused for good is read later, by whoever is at the station then: ``texts`` has it in every language.
    """
    text = error.text(language)
    problem: dict[str, Any] = {
        "type": TYPE_BASE + error.code,
        "title": text.title,
        "status": error.status,
        "detail": text.detail,
        "advice": text.advice,
        **error.members,
    }
    rejected = error.members.get("validation_errors")
    if isinstance(rejected, list):
        problem["validation_errors"] = [_in_language(entry, language) for entry in rejected]
    if retry:
        problem["retry"] = True
    else:
        problem["texts"] = {name: asdict(error.text(name)) for name in LANGUAGES}
    return problem


def problem_text(problem: Mapping[str, Any] | None, language: str = "en") -> ErrorText:
    """Return the text of a refused change's problem in ``language``, as far as the server gave it."""
    given = problem or {}
    texts = given.get("texts")
    found = texts.get(language) if isinstance(texts, dict) else None
    words = found if isinstance(found, dict) else given
    title, detail, advice = (str(words.get(name) or "") for name in ("title", "detail", "advice"))
    return ErrorText(title or problem_code(problem), detail, advice)


def _in_language(entry: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return a rejected field with its message in ``language``."""
    message = entry.get("message")
    return {**entry, "message": message.in_language(language)} if isinstance(message, LocalText) else dict(entry)


def batch_too_large() -> TooLarge:
    """Return the error of a batch over the protocol's limits, which are its members."""
    return TooLarge(
        "sync-batch-too-large",
        changes=MAX_BATCH_CHANGES,
        kibibytes=MAX_BATCH_BYTES // 1024,
        members={"max_changes": MAX_BATCH_CHANGES, "max_bytes": MAX_BATCH_BYTES},
    )


def retry_after_s(error: UserFacingError) -> float | None:
    """Return after how many seconds a server that is busy asks to be asked again, None when it does not."""
    problem = error.members.get("problem")
    seconds = problem.get(RETRY_AFTER) if isinstance(problem, Mapping) else None
    return float(seconds) if isinstance(seconds, int | float) and seconds >= 0 else None


def may_retry(problem: Mapping[str, Any] | None) -> bool:
    """Return whether a refused change is to be sent again later as it is."""
    return bool(problem) and problem.get("retry") is True  # type: ignore[union-attr]  # not None here


def problem_code(problem: Mapping[str, Any] | None) -> str:
    """Return the code of a problem document: the last part of its type."""
    return str((problem or {}).get("type", "")).rsplit("/", 1)[-1]


def error_of(status: int, problem: Mapping[str, Any]) -> UserFacingError:
    """Return the error for a server's refusal, with the server's own words where it gave any.

    A station that is not accepted, or whose store is refused, gets the words that are for people, of its own catalogue:
    in the language of whoever reads them.

    Answers of 500 and above are trouble that may pass: ``Unavailable``.
    """
    code = problem_code(problem)
    title, detail, advice = (str(problem.get(name) or "") for name in ("title", "detail", "advice"))
    members: dict[str, object] = {"code": code, "problem": dict(problem)}
    kind = _BY_STATUS.get(status)
    if kind is not None and code in {DEVICE_REFUSED, DEVICE_REVOKED, STORE_FORKED}:
        # The server's words are for every client of its API; here a person reads what to do at a station.
        return kind(code, members=members)
    if kind is None:
        words = join_sentences(detail, advice) or title or f"HTTP {status}"
        return Unavailable("server-failing", members=members, status=status, detail=words)
    if not title:
        return kind("server-refused-unexplained", members=members, status=status)
    return kind("server-refused", members=members, title=title, detail=detail, advice=advice)


def member_of(error: UserFacingError, name: str) -> object:
    """Return a member of the problem document of an error, also of one that came from the server; None for none."""
    problem = error.members.get("problem")
    return (problem if isinstance(problem, dict) else error.members).get(name)


def code_of(error: UserFacingError) -> str:
    """Return the code the server gave for an error that came from it, else the error's own code."""
    if error.code in {"server-refused", "server-refused-unexplained", "server-failing"}:
        return str(error.members.get("code") or error.code)
    return error.code
