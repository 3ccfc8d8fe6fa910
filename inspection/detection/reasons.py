"""Rejected values in the files that describe models and training data, with reasons in the reader's language."""

from __future__ import annotations

from models.rejections import RejectedValueError


class InvalidMetadataError(RejectedValueError):
    """A value in a description of a model or of training data makes no sense; the caller knows the file's name."""


def decoded(data: bytes) -> str:
    """Return UTF-8 bytes as text, without a byte order mark.

    Raises:
        InvalidMetadataError: when they are not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidMetadataError("detector-text-not-utf8") from error
