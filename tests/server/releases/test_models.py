"""``/inspection/models``: the models that stations may inspect with."""

from __future__ import annotations

from typing import Any

import pytest

from models.clock import utc_now
from models.ids import new_id
from models.pipelines import ModelFile
from models.storage import sha256_of
from tests.support.serving import Served, make_item

MODELS = "/inspection/models"


def make_model(served: Served, **members: Any) -> str:
    content = {"name": "Surface", "model_kind": "anomaly", "sha256": sha256_of(new_id().encode()), "size_bytes": 5}
    model = ModelFile(**{**content, "metrics": {"threshold": 2.5}, **members})
    with served.context.database.transaction() as session:
        session.add(model)
    return model.id


def listed(served: Served, **query: Any) -> list[str]:
    answer = served["inspector"].get(MODELS, params=query)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


def test_a_model_is_shown_with_its_digest(served: Served) -> None:
    item = make_item(served)["id"]
    model = make_model(served, item_id=item, sha256="a" * 64)
    shown = served["inspector"].get(f"{MODELS}/{model}")
    assert (shown.json()["sha256"], shown.json()["item_id"], shown.json()["metrics"]) == (
        "a" * 64,
        item,
        {"threshold": 2.5},
    )
    known = {"If-None-Match": shown.headers["ETag"]}
    assert served["inspector"].get(f"{MODELS}/{model}", headers=known).status_code == 304


@pytest.mark.parametrize("deleted", [False, True])
def test_a_model_that_is_not_there_is_404(served: Served, *, deleted: bool) -> None:
    model = make_model(served, deleted_at=utc_now()) if deleted else new_id()
    answer = served["inspector"].get(f"{MODELS}/{model}")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "model-file-not-found")
    assert model not in listed(served)


def test_models_are_listed_by_item(served: Served) -> None:
    item = make_item(served)["id"]
    model = make_model(served, item_id=item)
    make_model(served)
    assert listed(served, item_id=item) == [model]


def test_models_are_listed_by_kind(served: Served) -> None:
    detector, other = make_model(served, model_kind="detector"), make_model(served)
    found = listed(served, model_kind="detector", page_size=500)
    assert (detector in found, other in found) == (True, False)


@pytest.mark.parametrize("search", ["ポンプ", "PUMP", "straße"])
def test_a_model_is_found_in_any_case_of_its_name(served: Served, search: str) -> None:
    name = f"ﾎﾟﾝﾌﾟ Pump STRASSE {new_id()}"
    model = make_model(served, name=name)
    assert model in listed(served, search=search, page_size=500)
    assert model not in listed(served, search=f"{search}%")
