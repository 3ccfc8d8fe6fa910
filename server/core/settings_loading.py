"""Loading the server's settings; what is wrong with one is said by its name."""

from __future__ import annotations

import json
import os
from typing import Any, get_origin

from pydantic import ValidationError
from pydantic_settings import SettingsError

from models.errors import InvalidInput
from models.messages import LocalText
from models.rejections import Problem, first_problem, not_json
from server.core.settings import PREFIX, ServerSettings


def load_settings(**given: Any) -> ServerSettings:
    """Return the settings: what is given goes before the environment, None counts as not given.

    Raises:
        InvalidInput: ``server-settings-invalid`` naming the setting and what is wrong with it, never its value.
    """
    try:
        return ServerSettings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        problem = first_problem(error)
        name, _, place = problem.field.partition(".")
        setting = PREFIX + (name or "tls_cert").upper()
        reason = Problem(place, problem.reason).text
        raise InvalidInput("server-settings-invalid", setting=setting, reason=reason) from error
    except SettingsError as error:
        setting, reason = _not_json()
        raise InvalidInput("server-settings-invalid", setting=setting, reason=reason) from error


def _not_json() -> tuple[str, LocalText]:
    """Return the first setting of the environment that should be JSON and is not, with the place of its fault."""
    for name, field in ServerSettings.model_fields.items():
        setting = PREFIX + name.upper()
        given = os.environ.get(setting)
        if given is None or get_origin(field.annotation) not in {list, dict}:
            continue
        try:
            json.loads(given)
        except ValueError as error:
            return setting, not_json(error)
    raise AssertionError("every setting that is JSON can be read")
