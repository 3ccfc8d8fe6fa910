"""Releases on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from models.states import ReleaseState
from server.masters.schemas import MasterReply
from sync.shared.schemas import DeviceName, Id, Moment, OptionalName, RecordId, Reply, Request


class ModelFileReply(MasterReply):
    """A model that stations may inspect with; `GET /inspection/sync/download?blob=` gives its bytes."""

    name: str
    model_kind: str = Field(description="`anomaly` or `detector`.")
    sha256: str = Field(description="Digest of the bundle.")
    size_bytes: int
    metrics: dict[str, Any] = Field(description="What the training measured.")
    item_id: Id | None = Field(description="The item it was trained for.")


class ReleaseCreate(Request):
    """A release of a model bundle whose bytes were uploaded before."""

    id: RecordId | None = None
    item_id: RecordId = Field(description="The item that is inspected with it.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Digest of the bundle, uploaded with `/sync/upload`.")
    name: OptionalName = Field(default="", description="Empty: the name in the bundle.")


class ReleaseStage(Request):
    """The stations of the first stage."""

    stations: list[DeviceName] = Field(min_length=1, max_length=1_000, description="Ids of stations.")


class ReleaseReply(Reply):
    """A release."""

    id: Id
    name: str
    item_id: Id
    model_id: Id
    replaces_id: Id
    sha256: str
    size_bytes: int
    state: ReleaseState
    stations: list[str]
    released_by: str
    released_at: Moment | None
    signature: str = Field(description="Ed25519, base64; `GET /inspection/models/key` has the public key.")
    created_at: Moment


class StationReport(Reply):
    """What a station found when it checked a release."""

    device_id: str
    verified: bool
    code: str = Field(description="Why it was refused; empty when it holds.")
    at: Moment


class ReleaseDetail(ReleaseReply):
    """A release with what stations found."""

    reports: list[StationReport]


class ReleaseKey(Reply):
    """The public key of this server's releases."""

    public_key: str = Field(description="Ed25519, raw, base64.")
