"""A pipeline that was resolved before is looked at again for each request: it, and its models, may have changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from models.clock import utc_now
from models.errors import DoesNotFit, InvalidInput, NotFound
from models.pipelines import ModelFile, Pipeline
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.executions import pipelines
from server.executions.intake import Draft
from server.executions.pipelines import ResolvedPipeline, is_present, resolve
from server.executions.service import check_draft

BLUR = {"id": "blur", "component": "filter", "inputs": {"image": "input"}, "parameters": {"radius": 2}}


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ServerContext]:
    opened = open_context(ServerSettings(data_dir=tmp_path))
    yield opened
    opened.close()


def add_pipeline(context: ServerContext, *steps: dict[str, Any]) -> str:
    with context.database.transaction() as session:
        record = Pipeline(name="P", definition={"name": "P", "steps": list(steps or [BLUR])})
        session.add(record)
    return record.id


def checked(context: ServerContext, pipeline_id: str, **parameters: dict[str, Any]) -> ResolvedPipeline:
    return check_draft(context, Draft(pipeline_id, parameters))


def radius_of(resolved: ResolvedPipeline) -> object:
    return resolved.definition["steps"][0]["parameters"]["radius"]


def test_what_is_as_it_was_is_made_once(context: ServerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    one = add_pipeline(context)
    first = checked(context, one)
    with monkeypatch.context() as patched:
        patched.setattr(pipelines, "pipeline_of", None)
        assert checked(context, one) is first
    assert (first.record.name, first.record.version, radius_of(first)) == ("P", 1, 2)


def test_a_changed_pipeline_runs_as_it_is_now(context: ServerContext) -> None:
    one = add_pipeline(context)
    before = checked(context, one)
    with context.database.transaction() as session:
        record = session.get_one(Pipeline, one)
        record.definition = {"name": "P", "steps": [{**BLUR, "parameters": {"radius": 3}}]}
        record.version = 2
    after = checked(context, one)
    assert (radius_of(before), radius_of(after), after.record.version) == (2, 3, 2)
    with context.database.connection() as connection:
        assert (is_present(connection, before), is_present(connection, after)) == (False, True)


def test_a_change_with_an_older_clock_is_seen(context: ServerContext) -> None:
    """A station's change of one field, made before another's that the server had first, leaves the record's clock."""
    one = add_pipeline(context)
    before = checked(context, one)
    changed = {"name": "P", "steps": [{**BLUR, "parameters": {"radius": 3}}]}
    with context.database.engine.begin() as connection:
        merged = update(Pipeline).where(Pipeline.id == one).values(definition=changed, rev=Pipeline.rev + 1)
        connection.execute(merged)
    with context.database.connection() as connection:
        assert not is_present(connection, before)
    assert radius_of(checked(context, one)) == 3


def test_a_deleted_pipeline_is_not_found(context: ServerContext) -> None:
    one = add_pipeline(context)
    before = checked(context, one)
    with context.database.transaction() as session:
        session.get_one(Pipeline, one).deleted_at = utc_now()
    with pytest.raises(NotFound) as refused:
        checked(context, one)
    assert refused.value.code == "pipeline-not-found"
    with context.database.connection() as connection, pytest.raises(NotFound):
        is_present(connection, before)


def detection(model: str) -> dict[str, Any]:
    return {"id": "find", "component": "ai_detection", "inputs": {"image": "input"}, "parameters": {"model": model}}


def test_models_are_looked_at_for_every_request(context: ServerContext) -> None:
    model = ModelFile(name="m", model_kind="detector", sha256="a" * 64, size_bytes=3)
    with context.database.transaction() as session:
        session.add(model)
    one = add_pipeline(context, detection(model.id))
    assert checked(context, one) is checked(context, one)
    with context.database.transaction() as session:
        session.get_one(ModelFile, model.id).model_kind = "reference"
    with pytest.raises(DoesNotFit) as refused:
        checked(context, one)
    assert refused.value.code == "pipeline-model-kind"
    with context.database.engine.begin() as connection:
        connection.execute(delete(ModelFile).where(ModelFile.id == model.id))
    with pytest.raises(DoesNotFit) as refused:
        checked(context, one)
    assert refused.value.code == "execution-model-missing"


def test_models_of_the_settings_are_looked_at_for_every_request(context: ServerContext) -> None:
    one = add_pipeline(context, detection("here"))

    def check(*names: str) -> None:
        with context.database.connection() as connection:
            resolve(connection, one, {}, lambda: names)

    check("here")
    with pytest.raises(DoesNotFit) as refused:
        check("there")
    assert refused.value.code == "execution-model-missing"
    check("here")


def test_parameters_that_look_alike_are_not_the_same(context: ServerContext) -> None:
    one = add_pipeline(context)
    for radius in (3, 3.0, 4):
        found = radius_of(checked(context, one, blur={"radius": radius}))
        assert (found, type(found)) == (radius, type(radius))
    for _ in range(2):
        with pytest.raises(InvalidInput):
            checked(context, one, blur={"radius": "x"})
        with pytest.raises(InvalidInput):
            checked(context, one, none={"radius": 3})
    assert radius_of(checked(context, one)) == 2


def test_what_a_transaction_sees_that_is_not_committed_is_not_kept(context: ServerContext) -> None:
    one = add_pipeline(context)

    def undone() -> None:
        with context.database.transaction() as session:
            session.get_one(Pipeline, one).definition = {"name": "P", "steps": [{**BLUR, "parameters": {"radius": 3}}]}
            session.flush()
            seen.append(resolve(session.connection(), one, {}, list))
            raise KeyError

    seen: list[ResolvedPipeline] = []
    with pytest.raises(KeyError):
        undone()
    assert radius_of(seen[0]) == 3
    assert checked(context, one) is not seen[0]
    assert radius_of(checked(context, one)) == 2


def test_no_more_than_some_are_kept(context: ServerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "_MOST_KEPT", 2)
    one = add_pipeline(context)
    first = checked(context, one)
    for radius in (3, 4):
        checked(context, one, blur={"radius": radius})
    assert checked(context, one) is not first
    monkeypatch.setattr(pipelines, "_LONGEST_KEPT", 5)
    assert checked(context, one, blur={"radius": 5}) is not checked(context, one, blur={"radius": 5})


def test_stores_do_not_share_what_is_kept(context: ServerContext, tmp_path: Path) -> None:
    one = add_pipeline(context)
    checked(context, one)
    other = open_context(ServerSettings(data_dir=tmp_path / "other"))
    try:
        with pytest.raises(NotFound):
            checked(other, one)
    finally:
        other.close()
