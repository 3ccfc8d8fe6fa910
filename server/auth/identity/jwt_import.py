"""The only module that imports ``jwt``; the others import it from here.

PyJWT loads cryptography for algorithms with key pairs when it finds it: 8 MB that tokens signed with one secret never
use.
"""

from __future__ import annotations

from server.core.lean_imports import without

with without("cryptography"):
    import jwt

__all__ = ["jwt"]
