"""Parameters in which true and false are no numbers, as in JSON."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError


class JsonNumbers(BaseModel):
    """Base of what is read from JSON: ``true`` is refused where a number is wanted, not read as 1."""

    @field_validator("*", mode="before")
    @classmethod
    def _a_truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) and info.field_name is not None:
            declared = cls.model_fields[info.field_name].annotation
            wanted = {declared, *get_args(declared)}
            if bool not in wanted and wanted & {int, float}:
                raise PydanticKnownError("int_type" if int in wanted else "float_type")
        return value
