"""A client that openapi-python-client makes of the API document walks a whole inspection."""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from tests.support.images import png
from tests.support.serving import PASSWORD, Served, definition

PACKAGE = "imageflow_client"


@pytest.fixture(scope="module")
def package(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The generated package, without a warning of the generator and without formatters after it."""
    folder = tmp_path_factory.mktemp("client")
    document, config = folder / "openapi.json", folder / "config.json"
    document.write_bytes(served["anonymous"].get(f"{served.url}/openapi.json").content)
    # The generator knows octets, and is told which other types are such.
    octets = dict.fromkeys(("application/vnd.imageflow.blobs", "image/jpeg"), "application/octet-stream")
    settings = {"post_hooks": [], "package_name_override": PACKAGE, "content_type_overrides": octets}
    config.write_text(json.dumps(settings))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    command += ["--path", str(document), "--config", str(config), "--output-path", str(folder / PACKAGE)]
    made = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert made.returncode == 0, made.stdout + made.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module(PACKAGE)
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


class Caller:
    """Calls operations of the generated package by name."""

    def __init__(self, package: ModuleType, client: Any) -> None:
        self.models = importlib.import_module(f"{PACKAGE}.models")
        self.file = importlib.import_module(f"{PACKAGE}.types").File
        self.client = client

    def __call__(self, group: str, operation: str, *path: Any, status: int = 200, **arguments: Any) -> Any:
        module = importlib.import_module(f"{PACKAGE}.api.{group}.{group}_{operation}")
        answer = module.sync_detailed(*path, client=self.client, **arguments)
        assert answer.status_code == status, answer.content
        return answer.parsed

    def body(self, model: str, **values: Any) -> Any:
        return getattr(self.models, model).from_dict(values)


@contextmanager
def signed_in(package: ModuleType, served: Served, username: str) -> Iterator[Caller]:
    with package.Client(base_url=served.url) as client:
        anonymous = Caller(package, client)
        body = anonymous.body("LoginRequest", username=username, password=PASSWORD)
        token = anonymous("sign_in", "login", body=body).access_token
    with package.AuthenticatedClient(base_url=served.url, token=token) as client:
        yield Caller(package, client)


@pytest.mark.slow
def test_a_generated_client_downloads_the_file_it_uploaded(served: Served, package: ModuleType) -> None:
    data = png(11)
    with signed_in(package, served, "inspector") as call:
        file = call.file(payload=io.BytesIO(data), file_name="part.png", mime_type="image/png")
        stored = call("files", "upload", body=call.models.BodyFilesUpload(file=file), status=201)
        assert stored.size == len(data)
        assert call("files", "download", stored.id).payload.read() == data
        assert call("files", "metadata", stored.id) == stored


@pytest.mark.slow
def test_a_generated_client_walks_a_whole_inspection(served: Served, package: ModuleType) -> None:
    with signed_in(package, served, "supervisor") as engineer, signed_in(package, served, "inspector") as inspector:
        target, item = prepared(engineer)
        session_id, image_id = inspected(inspector, target.id, item.id)
        whole = inspector("sessions", "get_session", session_id)
        counted = inspector("quality", "statistics", target_id=target.id)
        refused = inspector("targets", "delete_target", target.id, status=403)
    assert (whole.status.value, whole.effective_verdict.value, whole.lot) == ("COMPLETED", "NG", "LOT-7")
    assert [one.id for one in whole.images] == [image_id]
    assert whole.human_verifications[0].defects[0].class_ == "scratch"
    assert (counted.summary.ng_count, counted.defect_analysis.to_dict()) == (1, {"scratch": 1})
    assert refused.type_.endswith("/role-not-allowed")


def prepared(engineer: Caller) -> tuple[Any, Any]:
    """Make a target with an item and its pipeline."""
    target = engineer(
        "targets", "create_target", body=engineer.body("TargetCreate", code="P204", name="Bracket"), status=201
    )
    pipeline = engineer(
        "pipelines",
        "create_pipeline",
        body=engineer.body("PipelineCreate", name="Surface", definition=definition()),
        status=201,
    )
    criteria = {"threshold": 3.5, "max_detections": {"scratch": 0}}
    body = engineer.body("ItemCreate", name="Surface", criteria=criteria, pipeline_id=str(pipeline.id))
    item = engineer("items", "create_item", target.id, body=body, status=201)
    assert item.criteria.threshold == 3.5
    assert pipeline.definition.steps[0].component == definition()["steps"][0]["component"]
    return target, item


def inspected(inspector: Caller, target_id: UUID, item_id: UUID) -> tuple[UUID, UUID]:
    """Inspect one part by hand; return the ids of session and image."""
    body = inspector.body("SessionCreate", target_id=str(target_id), lot="LOT-7", serial_number="S-1")
    session = inspector("sessions", "create_session", body=body, status=201)
    file = inspector.file(payload=io.BytesIO(png(12)), file_name="part.png", mime_type="image/png")
    stored = inspector("files", "upload", body=inspector.models.BodyFilesUpload(file=file), status=201)
    body = inspector.body("ImageAttach", file_id=str(stored.id), item_id=str(item_id))
    image = inspector("sessions", "attach_image", session.id, body=body, status=201)
    defect = {"class": "scratch", "bbox": {"x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0}, "severity": "major"}
    body = inspector.body("VerificationCreate", verdict="NG", defects=[defect], complete=True)
    inspector("sessions", "verify_session", session.id, body=body, status=201)
    return session.id, image.id
