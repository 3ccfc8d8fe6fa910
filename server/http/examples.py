"""An example for every body of JSON that the server takes, by the name of its schema in the API document."""

from __future__ import annotations

from typing import Any

from server.masters.schemas import DEFINITION_EXAMPLE

_RECORD = "01985b2c-7d40-7a31-9a6e-3f1f0a7b9c01"
_OTHER = "01985b2c-7d40-7a31-9a6e-3f1f0a7b9c02"
_BOX = {"x": 150, "y": 200, "width": 50, "height": 30}
_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_PARAMETERS = {"anomaly": {"model": _OTHER}}
_CRITERIA = {"threshold": 3.2, "minimum_defect_area": 25, "max_detections": {"scratch": 0}}
_PASSWORD = "correct horse battery staple"  # noqa: S105 - an example, of no account

EXAMPLES: dict[str, dict[str, Any]] = {
    "LoginRequest": {"username": "sato", "password": _PASSWORD},
    "RefreshRequest": {"refresh_token": "eyJhbGciOiJIUzI1NiJ9.e30.signature"},
    "StationLoginRequest": {
        "username": "sato",
        "password": _PASSWORD,
        "device_id": _RECORD,
        "credential": "ifd_0123456789",
    },
    "DeviceLoginRequest": {"device_id": _RECORD, "credential": "ifd_0123456789"},
    "DeviceRegister": {"code": "ABCD-EFGH-JKLM", "name": "Line 1, station 3"},
    "DeviceUpdate": {"name": "Line 1, station 4", "status": "active"},
    "EnrolmentCodeCreate": {"device_name": "Line 1, station 3"},
    "ReleaseCreate": {"item_id": _RECORD, "sha256": _DIGEST, "name": "Surface, second training"},
    "ReleaseStage": {"stations": [_RECORD]},
    "ScoreRequest": {"values": [1.2, 0.9, 1.1]},
    "BatchRequest": {"rows": [[1.2, 0.9, 1.1], [1.3, None, 1.0]], "sensor": "pump-1"},
    "StreamRows": {"rows": [{"at": "2026-03-01T06:00:00.000Z", "values": [1.2, 0.9, 1.1]}], "sensor": "pump-1"},
    "LearnRequest": {"rows": [{"at": "2026-03-01T06:00:00.000Z", "values": [1.2, 0.9, 1.1]}]},
    "DriftRequest": {"rows": [[1.2, 0.9, 1.1], [1.3, None, 1.0]]},
    "AlertSettings": {"after_rows": 3, "mail": ["line1@example.com"], "line_stop": True, "stations": [_RECORD]},
    "ThresholdChange": {"percent": 99},
    "AlertRuleCreate": {
        "name": "NG rate of line 1",
        "rule_kind": "ng_rate",
        "severity": "high",
        "device_id": _RECORD,
        "parameters": {"threshold": 5.0, "clear_threshold": 4.0, "window_minutes": 60, "min_count": 20},
        "mail": ["quality@example.com"],
        "webhooks": ["https://example.com/imageflow"],
        "line_stop": True,
    },
    "AlertRuleUpdate": {"enabled": True, "parameters": {"threshold": 3.0, "min_count": 50}},
    "Silence": {"until": "2099-12-31T00:00:00.000Z"},
    "StationConfigUpdate": {"device_id": _RECORD, "settings": {"sync_interval_s": 60, "retention_days": 90}},
    "UserCreate": {"username": "sato", "display_name": "佐藤", "role": "inspector", "password": _PASSWORD},
    "UserUpdate": {"role": "supervisor", "active": True},
    "PasswordSet": {"password": _PASSWORD},
    "PasswordChange": {"current_password": "the one before", "new_password": _PASSWORD},
    "ApiKeyCreate": {"name": "MES", "role": "integrator", "expires_at": "2099-12-31T00:00:00.000Z"},
    "TargetCreate": {"code": "P204", "name": "Bracket P204", "version": "2"},
    "TargetUpdate": {"name": "Bracket P204, left"},
    "ItemCreate": {
        "name": "Surface",
        "position": 1,
        "criteria": _CRITERIA,
        "pipeline_id": _RECORD,
        "pipeline_parameters": _PARAMETERS,
    },
    "ItemUpdate": {"criteria": _CRITERIA},
    "ItemPipeline": {"pipeline_id": _RECORD, "pipeline_parameters": _PARAMETERS},
    "PipelineCreate": {"name": "Surface", "definition": DEFINITION_EXAMPLE},
    "PipelineUpdate": {"definition": DEFINITION_EXAMPLE},
    "DefectClassCreate": {"code": "scratch", "name_en": "Scratch", "name_ja": "キズ", "severity": "major"},
    "DefectClassUpdate": {"severity": "minor"},
    "SessionCreate": {"id": _RECORD, "target_id": _OTHER, "lot": "LOT-2026-006", "serial_number": "P204-000123"},
    "SessionUpdate": {"status": "IN_PROGRESS"},
    "VerificationCreate": {
        "verdict": "NG",
        "defects": [{"class": "scratch", "bbox": _BOX, "severity": "major"}],
        "comment": "Along the edge",
        "seconds": 4.5,
        "complete": True,
    },
    "ImageAttach": {"file_id": _RECORD, "source": "Microscope"},
    "AiInspectionCreate": {
        "session_id": _RECORD,
        "item_id": _OTHER,
        "image_file_path": _RECORD,
        "pipeline_id": _OTHER,
        "parameters": {"confidence_threshold": 0.8, "model_name": "yolo11"},
    },
    "ConversionRequest": {"execution_id": _RECORD, "item_id": _OTHER},
    "Batch": {
        "device_id": _RECORD,
        "batch_id": _OTHER,
        "schema_version": 1,
        "changes": [
            {
                "change_id": _OTHER,
                "entity": "inspection_session",
                "entity_id": _RECORD,
                "op": "update",
                "base_rev": 41,
                "clock": f"1764400000000-0000-{_RECORD}",
                "fields": {"status": "COMPLETED"},
            }
        ],
    },
    "Inventory": {
        "records": [
            {"entity": "inspection_session", "entity_id": _OTHER, "clock": f"1764400000000-0000-{_RECORD}"},
        ],
        "blobs": [_DIGEST],
    },
    "StoreClaim": {"store_id": _RECORD, "held": "", "next": "1-0123456789abcdef", "machine": _DIGEST},
    "DriftQuestion": {
        "since": "2025-11-01",
        "entities": ["image"],
        "days": [{"entity": "image", "day": "2025-11-29", "count": 3, "digest": _DIGEST[:32]}],
    },
    "OfferChoice": {"entity_ids": [_RECORD]},
    "DeviceStoreChoice": {"store_id": _RECORD},
    "UploadRequest": {"sha256": _DIGEST, "size": 4, "content_type": "image/png"},
}
