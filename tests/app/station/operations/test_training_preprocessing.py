"""A training in the window learns from images as the anomaly step of the item's pipeline is given them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from app.station.operations.evidence import StoredBlob, name_blob
from app.station.operations.inspection import inspect_item
from app.station.operations.preparation import prepare_item
from app.station.operations.sessions import begin_session
from app.station.operations.training import train_item_model
from app.station.workspace import Workspace
from inspection.anomaly import TrainingProgress, TrainingSettings, train_images
from inspection.imaging.datasets import image_files
from inspection.imaging.files import encode_png, read_image
from inspection.imaging.frames import Frame
from inspection.model_files.reference import load_reference
from inspection.pipeline import (
    PipelineDefinition,
    PreprocessingPrefix,
    anomaly_step,
    ready_definition,
    validate_definition,
)
from models.audit import AuditEntry
from models.errors import DoesNotFit, Unavailable
from models.pipelines import ModelFile, Pipeline
from models.storage import write_atomically
from models.targets import InspectionItem
from tests.support.station import Station

QUICK = TrainingSettings(bank_size=150, folds=2)
CROP = {"id": "crop", "component": "crop", "inputs": {"image": "align"}}
KEPT = {"rectangle": {"x": 30, "y": 30, "width": 260, "height": 250}}


def aligned() -> dict[str, Any]:
    """The ready pipeline ``aligned-anomaly`` with a crop, whose rectangle each item has to give."""
    definition = ready_definition("aligned-anomaly").model_dump(mode="json")
    align, anomaly, overlay = definition["steps"]
    anomaly["inputs"] = {"image": "crop"}
    everything = {"rectangle": {"x": 0, "y": 0, "width": 9000, "height": 9000}}
    return {**definition, "steps": [align, {**CROP, "parameters": everything}, anomaly, overlay]}


def give_pipeline(
    workspace: Workspace, station: Station, definition: dict[str, Any], parameters: dict[str, Any]
) -> None:
    with workspace.database.transaction(actor=station.engineer.user_id) as session:
        pipeline = Pipeline(name="Aligned", definition=definition)
        session.add(pipeline)
        session.flush()
        item = session.get_one(InspectionItem, station.item_id)
        item.pipeline_id, item.pipeline_parameters = pipeline.id, parameters


def keep_reference(workspace: Workspace, station: Station, image: Path) -> str:
    """Put a reference image where a pull puts it, and return the id of its record."""
    data = image.read_bytes()
    blob = StoredBlob(workspace.blobs.put(data), len(data), "image/png")
    with workspace.database.transaction(actor=station.engineer.user_id) as session:
        name_blob(session, blob)
        record = ModelFile(name="Good", model_kind="reference-image", sha256=blob.sha256, size_bytes=len(data))
        session.add(record)
        session.flush()
        return record.id


@pytest.mark.slow
def test_the_model_of_an_aligned_item_belongs_to_what_its_pipeline_scores(
    workspace: Workspace, station: Station, tmp_path: Path
) -> None:
    images = image_files(station.parts.train_good)[:6]
    empty = tmp_path / "empty.png"
    write_atomically(empty, encode_png(np.random.default_rng(0).integers(90, 110, (320, 320), dtype=np.uint8)))
    files = [*images, empty]
    reference = keep_reference(workspace, station, images[0])
    give_pipeline(workspace, station, aligned(), {"align": {"reference": reference}, "crop": KEPT})
    trained = train_item_model(workspace, station.engineer, station.item_id, files, settings=QUICK)
    assert (trained.images, trained.skipped, trained.duplicates) == (6, 1, 0)

    steps = aligned()
    steps["steps"][1]["parameters"] = KEPT
    pipeline = validate_definition(PipelineDefinition.parse(steps))
    prefix = PreprocessingPrefix(pipeline, anomaly_step(pipeline), {"reference": load_reference(images[0])})
    again = train_images(files, tmp_path / "again.model", QUICK, preprocessor=prefix)
    assert trained.sha256 == again.digest
    found = prepare_item(workspace, station.item_id).runner.run(read_image(images[3])).anomaly
    assert found is not None
    assert found.score <= found.threshold == trained.threshold


def test_an_item_whose_reference_image_is_not_chosen_is_not_trained(workspace: Workspace, station: Station) -> None:
    give_pipeline(workspace, station, aligned(), {})
    with pytest.raises(DoesNotFit) as refused:
        train_item_model(workspace, station.engineer, station.item_id, image_files(station.parts.train_good))
    assert refused.value.code == "preprocessing-model-missing"
    assert refused.value.values == {"step": "align", "name": "reference", "before": "anomaly"}


@pytest.mark.parametrize("recorded", [True, False])
def test_a_reference_image_that_has_not_come_yet_is_reported(
    workspace: Workspace, station: Station, recorded: bool
) -> None:
    images = image_files(station.parts.train_good)
    reference = keep_reference(workspace, station, images[0])
    with workspace.database.read() as session:
        digest = session.get_one(ModelFile, reference).sha256
    workspace.blobs.delete(digest)
    give_pipeline(workspace, station, aligned(), {"align": {"reference": reference if recorded else "0" * 32}})
    with pytest.raises(Unavailable) as refused:
        train_item_model(workspace, station.engineer, station.item_id, images)
    assert refused.value.code == "model-not-here"


@pytest.mark.slow
def test_a_pipeline_changed_after_the_training_is_reported_with_the_next_part(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    images = image_files(station.parts.train_good)[:6]
    cropped = ready_definition("anomaly").model_dump(mode="json")
    anomaly, overlay = cropped["steps"]
    crop = {**CROP, "inputs": {"image": "input"}, "parameters": KEPT}
    cropped["steps"] = [crop, {**anomaly, "inputs": {"image": "crop"}}, overlay]
    give_pipeline(workspace, station, cropped, {})
    train_item_model(workspace, station.engineer, station.item_id, images, settings=QUICK)
    assert prepare_item(workspace, station.item_id).notes == ()
    with workspace.database.transaction(actor=station.engineer.user_id) as session:
        item = session.get_one(InspectionItem, station.item_id)
        narrower = {"rectangle": {**KEPT["rectangle"], "width": 240}}
        item.pipeline_parameters = {**item.pipeline_parameters, "crop": narrower}
    begun = begin_session(workspace, station.operator, target_id=station.target_id)
    notes: list[DoesNotFit] = []
    inspect_item(workspace, station.operator, begun.session_id, station.item_id, frames[0], on_notes=notes.extend)
    (reported,) = notes
    assert reported.code == "window-model-preprocessing-settings-differ"
    assert {"item": "Surface", "steps": "crop", "differing": "crop"}.items() <= reported.values.items()
    with workspace.database.read() as session:
        query = select(AuditEntry).where(AuditEntry.action == "item.inspected")
        assert session.scalars(query).one().detail["preprocessing_mismatches"][0]["step"] == "anomaly"


def test_a_model_goes_to_the_step_that_takes_it_when_the_training_ends(workspace: Workspace, station: Station) -> None:
    definition = ready_definition("anomaly").model_dump(mode="json")
    give_pipeline(workspace, station, definition, {})

    def rename(_: TrainingProgress) -> None:
        """Do what a pull does: the server's pipeline has another name for the step."""
        steps = json.loads(json.dumps(definition).replace('"id": "anomaly"', '"id": "surface"'))["steps"]
        steps[-1]["inputs"]["anomaly"] = "surface"
        with workspace.database.transaction(actor=station.engineer.user_id) as session:
            item = session.get_one(InspectionItem, station.item_id)
            session.get_one(Pipeline, item.pipeline_id).definition = {**definition, "steps": steps}

    trained = train_item_model(
        workspace,
        station.engineer,
        station.item_id,
        image_files(station.parts.train_good)[:6],
        settings=QUICK,
        on_progress=rename,
    )
    with workspace.database.read() as session:
        parameters = session.get_one(InspectionItem, station.item_id).pipeline_parameters
    assert parameters == {"surface": {"model": trained.model_id}}
    assert prepare_item(workspace, station.item_id).model_sha256 == trained.sha256
