"""What a station holds after enrolment, a first pull and one training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from app.station.operations.users import SignedInUser
from inspection.pipeline import default_definition
from models.pipelines import Pipeline
from models.states import Role
from models.synced import Master
from models.targets import DefectClass, InspectionItem, Target
from models.users import User
from resources.parts import PartsFolder

NOWHERE = "http://127.0.0.1:9"
"""Nobody listens on the discard port: every connection is refused at once."""
DEVICE = "0197c000-0000-7000-8000-00000000d0e1"


@dataclass(frozen=True)
class Station:
    """A folder with a trained station and what is in it."""

    store: Path
    target_id: str
    item_id: str
    engineer: SignedInUser
    operator: SignedInUser
    parts: PartsFolder


def add_masters(session: Session, store: Path, parts: PartsFolder) -> Station:
    """Put in what a first pull brings."""
    pipeline = Pipeline(name="Anomaly", definition=default_definition().model_dump(mode="json"))
    target = Target(code="PLATE", name="Plate")
    item = InspectionItem(target_id=target.id, name="Surface", pipeline_id=pipeline.id)
    users = [
        User(username="engineer", role=Role.SUPERVISOR, language="en"),
        User(username="operator", role=Role.INSPECTOR, language="en"),
    ]
    scratch = DefectClass(code="scratch", name_en="Scratch", name_ja="傷")
    known: list[Master] = [pipeline, target, item, scratch, *users]
    for rev, record in enumerate(known, start=1):
        record.rev = rev
        session.add(record)
        session.flush()
    engineer, operator = (
        SignedInUser(user.id, user.username, user.username, user.role, user.language, online=False) for user in users
    )
    return Station(store, target.id, item.id, engineer, operator, parts)
