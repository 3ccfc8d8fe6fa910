"""Revisions in heads: ``ETag``, ``If-Match``, ``If-None-Match``; and ``Location`` of what is new."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from server.core.revisions import Expected, revision_of
from server.http.paths import PREFIX
from server.http.ranges import same_tag

ReplyT = TypeVar("ReplyT", bound=BaseModel)
_TAG = re.compile(r'(W/)?"([^"]*)"')
_MATCH = (
    "The ETag of the record as it was read; 412 when it has another one by now. Several tags, and `*`, are understood."
)
_NONE_MATCH = "An ETag that is known already; 304 without a body when the record still has it."


class Answer:
    """Sets the head of an answer about one record.

    Args:
        response: what FastAPI merges into the answer.
    """

    def __init__(self, response: Response) -> None:
        self._response = response

    def of(self, reply: ReplyT) -> ReplyT:
        """Return the answer, with the record's ETag in its head."""
        self.tag(revision_of(reply))
        return reply

    def tag(self, revision: str) -> None:
        """Set the ETag."""
        self._response.headers["ETag"] = f'"{revision}"'

    def created(self, path: str, *, new: bool = True) -> None:
        """Say where a record is that the request has made, or that an equal request made before.

        Args:
            path: below the prefix of the interface's version.
            new: whether this request made it; an earlier one is answered 200.
        """
        self._response.status_code = HTTPStatus.CREATED if new else HTTPStatus.OK
        self._response.headers["Location"] = PREFIX + path

    def accepted(self, path: str) -> None:
        """Say where what the request began can be watched.

        Args:
            path: below the prefix of the interface's version.
        """
        self._response.headers["Location"] = PREFIX + path


async def _answer(response: Response) -> Answer:
    return Answer(response)


async def _known(
    response: Response, known: Annotated[str | None, Header(alias="If-None-Match", description=_NONE_MATCH)] = None
) -> Answer:
    del known  # ``unless_known`` reads it
    return Answer(response)


async def _expected(
    request: Request, given: Annotated[str | None, Header(alias="If-Match", description=_MATCH)] = None
) -> Expected:
    return Expected() if given is None else parse_if_match(", ".join(request.headers.getlist("if-match")))


Answered = Annotated[Answer, Depends(_answer)]
"""For an endpoint that answers with one record."""
Read = Annotated[Answer, Depends(_known)]
"""For an endpoint that reads one record; a client that has it is answered 304."""
IfMatch = Annotated[Expected, Depends(_expected)]
"""For an endpoint that changes one record."""


def parse_if_match(header: str) -> Expected:
    """Return the revisions that an ``If-Match`` header names: weak tags, and what is no tag, never match."""
    if header.strip() == "*":
        return Expected()
    return Expected(frozenset(tag for weak, tag in _TAG.findall(header) if not weak))


def unless_known(request: Request, response: Response) -> Response:
    """Return the answer, or 304 when the client knows its ETag already."""
    tag = response.headers.get("etag")
    known = request.headers.get("if-none-match")
    if request.method != "GET" or response.status_code != HTTPStatus.OK or tag is None or not same_tag(known, tag):
        return response
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
