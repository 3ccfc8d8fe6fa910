"""One root for every error the product raises on purpose.

``UserFacingError`` has a cause outside the program: a damaged file, a lost network, a full disk, a mistake. It
carries a code, the values its text needs, and texts in English and Japanese that say what happened and what to do next
(``resources/messages``). Everything else that is raised is a bug and must fail loudly.
"""

from __future__ import annotations

from typing import ClassVar

from models.messages import ErrorText, error_text


class ImageFlowError(Exception):
    """Root of all errors of ImageFlow Station and ImageFlow Server."""


class UserFacingError(ImageFlowError):
    """An error the user can act on: a damaged file, a lost network, a full disk, a mistake.

    Attributes:
        code: kebab-case key of the text in ``resources/messages`` and last part of the problem's ``type`` on the wire.
        status: HTTP status when it leaves the server.
        values: what the text names; never a secret.
        members: further members of the problem document (RFC 9457 extensions), JSON values.
    """

    status: ClassVar[int] = 500

    def __init__(self, code: str, *, members: dict[str, object] | None = None, **values: object) -> None:
        self.code = code
        self.values = values
        self.members = members or {}
        super().__init__(code)

    def text(self, language: str = "en") -> ErrorText:
        """Return title, detail and advice in ``language`` (``"en"`` or ``"ja"``)."""
        return error_text(self.code, self.values, language)

    def __str__(self) -> str:
        text = self.text("en")
        return f"{text.title}: {text.explanation}"


class InvalidInput(UserFacingError):
    """The user or a client gave something that cannot be used as it is."""

    status = 400


class UnreadableImage(InvalidInput):
    """A file or a body that should be an image and is not one we can use."""


class NotSignedIn(UserFacingError):
    """No valid credential."""

    status = 401


class PermissionDenied(UserFacingError):
    """The credential is valid and does not allow this."""

    status = 403


class NotFound(UserFacingError):
    """What was named does not exist."""

    status = 404


class Conflict(UserFacingError):
    """The present state does not allow it."""

    status = 409


class Gone(UserFacingError):
    """It existed and was removed."""

    status = 410


class PreconditionFailed(UserFacingError):
    """The record is not, or no longer, the one that the client expects."""

    status = 412


class TooLarge(UserFacingError):
    """More than the limit."""

    status = 413


class DoesNotFit(UserFacingError):
    """Well formed, but wrong for its use (a pipeline for an item, a model for a pipeline)."""

    status = 422


class TooManyRequests(UserFacingError):
    """Asked too often."""

    status = 429


class Unavailable(UserFacingError):
    """Something needed is not there now and may come back: a camera, a server, a disk with room, a lock."""

    status = 503
