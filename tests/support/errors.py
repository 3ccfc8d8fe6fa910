"""Which error was raised, by its code and by where it comes from instead of by the words of its message."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

from models.errors import UserFacingError


def has_code(code: str, **values: object) -> Callable[[UserFacingError], bool]:
    """Return a check for ``pytest.raises``: the error has this code and these values among its own."""

    def check(error: UserFacingError) -> bool:
        return error.code == code and values.items() <= error.values.items()

    return check


def raised_in(place: object) -> Callable[[BaseException], bool]:
    """Return a check for ``pytest.raises``: the error, a bug's, was raised in the module of ``place`` itself.

    Args:
        place: a module, or a class or function that is defined in it.
    """
    module = place if isinstance(place, ModuleType) else sys.modules[place.__module__]

    def check(error: BaseException) -> bool:
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_next is not None:
            traceback = traceback.tb_next
        return traceback is not None and traceback.tb_frame.f_globals is vars(module)

    return check
