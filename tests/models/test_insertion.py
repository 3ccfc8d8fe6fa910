"""A row made without its record is what the record's constructor would have made."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import inspect

from models.base import Base
from models.executions import Execution, ExecutionOutput, ExecutionRun
from models.insertion import new_row
from models.states import OutputKind
from models.sync import StoredFile

GIVEN: dict[type[Base], dict[str, Any]] = {
    Execution: {"pipeline_id": "p", "pipeline_name": "Lid", "pipeline_version": 3, "definition": {"steps": []}},
    ExecutionRun: {"execution_id": "e", "position": 0, "file_id": "f"},
    ExecutionOutput: {"execution_id": "e", "position": 0, "file_id": "f", "output_kind": OutputKind.RESULT},
    StoredFile: {"sha256": "00", "filename": "a.png", "content_type": "image/png", "size_bytes": 3},
}
DRAWN = {"id", "created_at"}


@pytest.mark.parametrize("kind", GIVEN, ids=lambda kind: kind.__name__)
def test_a_row_has_what_the_constructor_sets(kind: type[Base]) -> None:
    record = kind(**GIVEN[kind])
    named = {attribute.key: getattr(record, attribute.key) for attribute in inspect(kind).column_attrs}
    row = new_row(kind, **GIVEN[kind])
    assert row.keys() == named.keys()
    assert {name: row[name] for name in row.keys() - DRAWN} == {name: named[name] for name in row.keys() - DRAWN}


def test_each_row_has_values_of_its_own() -> None:
    first, second = (new_row(Execution, **GIVEN[Execution]) for _ in range(2))
    assert first["id"] != second["id"]
    assert first["parameters"] is not second["parameters"]


def test_a_row_without_a_column_that_has_no_default_is_refused() -> None:
    with pytest.raises(TypeError, match="size_bytes"):
        new_row(StoredFile, sha256="00", filename="a.png", content_type="image/png")


def test_a_row_with_an_unknown_column_is_refused() -> None:
    with pytest.raises(TypeError, match="owner"):
        new_row(StoredFile, **GIVEN[StoredFile], owner="me")
