"""Enrolment of a station on the wire."""

from __future__ import annotations

from pydantic import Field

from sync.shared.schemas import Id, OptionalName, RecordId, Reply, Request


class DeviceRegister(Request):
    """A station enrols with the one-time code of an administrator."""

    code: str = Field(min_length=1, max_length=64, json_schema_extra={"format": "password"})
    name: OptionalName = Field(default="", description="Empty: the name the administrator gave.")
    former_device_id: RecordId | None = Field(default=None, description="The station whose store this one's was.")
    former_credential: str = Field(
        default="", max_length=128, description="Proof of it.", json_schema_extra={"format": "password"}
    )


class DeviceRegistered(Reply):
    """The station's id and credential; the credential is shown this once.

    ``release_key`` is the public key of the server's model releases, which the station keeps for good.
    """

    device_id: Id
    credential: str
    release_key: str = ""
    succeeds_id: Id | None = Field(default=None, description="The former station, when this server knows it.")
    generation: str = Field(default="", description="Of the server; changes with every restore.")
