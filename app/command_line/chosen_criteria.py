"""The criteria that a command is given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspection.judging.criteria import Criteria


def read_criteria(path: Path | None, threshold: float | None) -> Criteria:
    """Read the criteria; the threshold of the command line overrides theirs.

    Raises:
        NotFound: ``file-missing``.
        InvalidInput: ``criteria-malformed`` with the field and the reason; ``criteria-unusable`` with the reason where
            the whole file is wrong.
    """
    from inspection.judging.criteria import Criteria
    from inspection.recipe.criteria import parse_criteria
    from models.errors import InvalidInput, NotFound
    from models.rejections import not_json
    from models.storage import reason_of

    if path is None:
        return Criteria(threshold=threshold)
    try:
        rule = parse_criteria(json.loads(path.read_bytes()))
    except FileNotFoundError as error:
        raise NotFound("file-missing", file=str(path)) from error
    except OSError as error:
        raise InvalidInput("criteria-unusable", file=str(path), reason=reason_of(error)) from error
    except InvalidInput as error:
        field, reason = str(error.values["field"]).removeprefix("criteria").removeprefix("."), error.values["reason"]
        if not field:
            raise InvalidInput("criteria-unusable", file=str(path), reason=reason) from error
        raise InvalidInput("criteria-malformed", file=str(path), field=field, reason=reason) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput("criteria-unusable", file=str(path), reason=not_json(error)) from error
    return rule if threshold is None else rule.model_copy(update={"threshold": threshold, "threshold_model": None})
