"""Where an object lies in the store: its bucket and the key made of its digest."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from models.errors import InvalidInput, PermissionDenied
from models.storage import is_digest

LOCAL_BUCKET = "imageflow"
"""What the bucket of a local folder is called."""


def key_of(sha256: str) -> str:
    """Return the key of an object within the store.

    Raises:
        InvalidInput: ``digest-malformed``.
    """
    if not is_digest(sha256):
        raise InvalidInput("digest-malformed")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def drawn_name() -> str:
    """Return a new name of the form of a digest for an object that nobody takes the digest of."""
    return secrets.token_hex(32)


def digest_of_key(key: str) -> str | None:
    """Return the digest that a key of the store is made of; None for any other text."""
    digest = key.rpartition("/")[2]
    return digest if is_digest(digest) and key == key_of(digest) else None


_KEY_LENGTH = len(key_of("0" * 64))


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket, and the prefix of this system's keys in it.

    Attributes:
        bucket: name of the bucket.
        prefix: empty, or a text that ends in a slash.
    """

    bucket: str
    prefix: str

    @classmethod
    def of_url(cls, url: str) -> Place:
        """Return the place that the URL of an object store names."""
        parts = urlsplit(url)
        if parts.scheme == "file":
            return cls(LOCAL_BUCKET, "")
        prefix = unquote(parts.path).strip("/")
        return cls(parts.netloc, f"{prefix}/" if prefix else "")

    @classmethod
    def of_object(cls, bucket: str, object_key: str) -> Place:
        """Return the place that an object of this system is in."""
        return cls(bucket, object_key[:-_KEY_LENGTH])

    def object_key(self, sha256: str) -> str:
        """Return the key of an object within the bucket.

        Raises:
            InvalidInput: ``digest-malformed``.
        """
        return self.prefix + key_of(sha256)

    def require_allowed(self, bucket: str, object_key: str) -> str:
        """Return the digest of the object that a bucket and a key name.

        Raises:
            PermissionDenied: ``object-not-allowed`` for another bucket and for anything that is no key of this system.
        """
        inside = object_key.removeprefix(self.prefix) if object_key.startswith(self.prefix) else ""
        digest = digest_of_key(inside) if bucket == self.bucket else None
        if digest is None:
            key = f"{self.prefix}ab/cd/abcd…"
            raise PermissionDenied("object-not-allowed", bucket=self.bucket, key=key)
        return digest
