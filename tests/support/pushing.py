"""A station that pushes changes to a server's parts, on any engine."""

from __future__ import annotations

from typing import Any

from models.clock import HybridLogicalClock
from models.devices import Device
from models.ids import new_id
from models.targets import Target
from server.context import ServerContext
from server.sync.apply import apply_batch
from sync.shared.protocol import ChangeResult

AT = "2026-01-01T00:00:00.000Z"


class Pushing:
    """A station that pushes to a server's parts."""

    def __init__(self, context: ServerContext, *masters: object) -> None:
        self.context = context
        self.device = Device(name="D", credential_digest="0" * 64)
        self.clock = HybridLogicalClock(self.device.id)
        self.target = Target(code=new_id(), name="T")
        with context.database.transaction() as session:
            session.add_all([self.device, self.target, *masters])

    def change(self, entity: str, fields: dict[str, Any], **members: Any) -> dict[str, Any]:
        made = {"change_id": new_id(), "entity": entity, "entity_id": new_id(), "op": "insert"}
        return {**made, "clock": str(self.clock.now()), "fields": fields, **members}

    def part(self, **fields: Any) -> dict[str, Any]:
        own = {"created_at": AT, "device_id": self.device.id, "target_id": self.target.id, "status": "COMPLETED"}
        return self.change("inspection_session", {**own, "completed_at": AT, **fields})

    def fact(self, entity: str, part: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return self.change(
            entity, {"created_at": AT, "device_id": self.device.id, "session_id": part["entity_id"], **fields}
        )

    def push(self, *changes: dict[str, Any]) -> list[ChangeResult]:
        answer = apply_batch(self.context.database, self.context.clock, self.device.id, changes)
        answer.model_dump_json().encode()  # every answer can be encoded
        return answer.results
