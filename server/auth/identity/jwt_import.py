"""The only module that imports ``jwt``; the others import it from here.

PyJWT loads cryptography for algorithms with key pairs when it finds it: 8 MB that tokens signed with one secret never
use. It is hidden for the moment of the import; whoever needs it elsewhere imports it as always.
"""

from __future__ import annotations

import sys
from typing import Any

_modules: dict[str, Any] = sys.modules
_loaded = _modules.get("cryptography")
if _loaded is None:
    # None makes importing that name fail.
    _modules["cryptography"] = None

import jwt  # noqa: E402

if _loaded is None:
    del _modules["cryptography"]

__all__ = ["jwt"]
