"""Every record, imported once so that the metadata is complete; import this where the whole schema is needed."""

from models.alerts import Alert, AlertDelivery, AlertRule, LineStop
from models.audit import AuditEntry, AuditHead
from models.base import Base
from models.devices import Device, EnrolmentCode
from models.events import HandledEvent, OutgoingEvent
from models.executions import Execution, ExecutionOutput, ExecutionRun
from models.idempotency import IdempotentRequest
from models.pipelines import ModelFile, Pipeline, StationConfig
from models.releases import ModelRelease, ReleaseCheck
from models.sensors import SensorAlertSettings, SensorModelRecord, SensorStreamRecord
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.statistics import CountedSession, DailyCount, DailyScore
from models.sync import (
    AppliedChange,
    Blob,
    ChangeLogEntry,
    ChangeLogHead,
    OutboxEntry,
    StoredFile,
    SyncConflict,
    SyncState,
)
from models.targets import DefectClass, InspectionItem, Target
from models.users import ApiKey, AuthSession, SignInCount, User, UserCredential
from models.verification import HumanVerification

__all__ = [
    "AIResult",
    "Alert",
    "AlertDelivery",
    "AlertRule",
    "ApiKey",
    "AppliedChange",
    "AuditEntry",
    "AuditHead",
    "AuthSession",
    "Base",
    "Blob",
    "ChangeLogEntry",
    "ChangeLogHead",
    "CountedSession",
    "DailyCount",
    "DailyScore",
    "DefectClass",
    "Device",
    "EnrolmentCode",
    "Execution",
    "ExecutionOutput",
    "ExecutionRun",
    "HandledEvent",
    "HumanVerification",
    "IdempotentRequest",
    "ImageRecord",
    "InspectionItem",
    "InspectionSession",
    "LineStop",
    "ModelFile",
    "ModelRelease",
    "OutboxEntry",
    "OutgoingEvent",
    "Pipeline",
    "ReleaseCheck",
    "SensorAlertSettings",
    "SensorModelRecord",
    "SensorStreamRecord",
    "SignInCount",
    "StationConfig",
    "StoredFile",
    "SyncConflict",
    "SyncState",
    "Target",
    "User",
    "UserCredential",
]
