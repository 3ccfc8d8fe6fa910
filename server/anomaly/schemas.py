"""The sensor anomaly API on the wire."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from models.encodings import is_known_encoding
from models.rejections import RejectedValueError
from models.sensors import SensorModelStatus, ThresholdMethod
from sync.shared.schemas import Code, Flag, Id, Moment, Real, RecordId, Reply, Request

DEFAULT_SENSOR = "default"
"""The sensor of models and rows that name none."""
MAX_VALUES = 512
MAX_ROWS = 10_000

Value = Annotated[Real | None, Field(description="A measured value; null where it is missing.")]
Row = Annotated[list[Value], Field(min_length=1, max_length=MAX_VALUES)]
SensorName = Annotated[Code, Field(description="The machine or group of sensors that a model judges.")]
Status = Literal["normal", "anomaly"]
ModelChoice = Annotated[RecordId | None, Field(description="A model; the active one of the sensor without it.")]


class ScoreRequest(Request):
    """One row of sensor values."""

    values: Row = Field(description="The values, in the order of the model's columns.")
    sensor: SensorName = DEFAULT_SENSOR
    model: ModelChoice = None
    explain: Flag = Field(default=False, description="Whether to answer threshold and contributions too.")


class ScoreReply(Reply):
    """How far a row deviates from normal operation."""

    score: float = Field(ge=0, description="Euclidean norm ‖x − x̂‖ of the scaled values.")
    status: Status = Field(description="`anomaly` when the score is above the threshold.")
    threshold: float | None = Field(default=None, description="With `explain`.")
    contributions: dict[str, float] | None = Field(
        default=None, description="With `explain`: what each sensor adds to the squared score."
    )


class BatchRequest(Request):
    """Rows of sensor values; for a model of windows in the order of time."""

    rows: Annotated[list[Row], Field(min_length=1, max_length=MAX_ROWS)]
    sensor: SensorName = DEFAULT_SENSOR
    model: ModelChoice = None


class BatchResult(Reply):
    """The score of one row of a batch."""

    score: float | None = Field(description="null for a row that is not judged.")
    status: Literal["normal", "anomaly", "not-judged"] = Field(
        description="`not-judged`: more than half of its values are missing, or the batch is shorter than a window."
    )


class EpisodeSensor(Reply):
    """What a sensor contributes to an episode."""

    column: str
    share: float = Field(ge=0, le=1)


class EpisodeReply(Reply):
    """Anomalies that belong together; rows are counted from 0."""

    start: int = Field(ge=0, description="Row of the first anomaly.")
    end: int = Field(ge=0, description="Row of the last one.")
    peak: int = Field(ge=0, description="Row of the highest score.")
    score: float = Field(description="Of that row.")
    anomalies: int = Field(ge=1)
    open: bool = Field(description="Whether the rows end before the hold-off has passed: it may go on.")
    sensors: list[EpisodeSensor] = Field(description="The three that contribute most, in descending order.")


class BatchReply(Reply):
    """The scores of a batch, in the order of its rows."""

    results: list[BatchResult]
    anomalies: int = Field(ge=0)
    threshold: float
    episodes: list[EpisodeReply] = Field(description="Of a model that judges rows by those before; else empty.")


class SensorModelReply(Reply):
    """A sensor model."""

    id: Id
    name: str
    sensor: str
    status: SensorModelStatus
    active: bool
    columns: list[str] = Field(description="Names of the sensors, in the order of the values of a row.")
    window: int = Field(description="Rows of a window; 1 for a model that judges each row alone.")
    rows: int = Field(description="Rows it was trained on.")
    threshold: float | None
    threshold_method: ThresholdMethod
    threshold_percent: float | None
    size_bytes: int
    sha256: str = Field(description="Digest of `model.npz`; empty until it is trained.")
    rows_learned: int = Field(description="Rows that online learning has learned from; 0 without it.")
    progress: float = Field(ge=0, le=100, description="Percent of the training.")
    created_by: str
    created_at: Moment


class SensorModelError(Reply):
    """Why a training failed."""

    code: str
    message: str


class SensorModelDetail(SensorModelReply):
    """A sensor model with what its training reported."""

    unversioned: ClassVar[frozenset[str]] = frozenset({"error", "findings"})

    error: SensorModelError | None = None
    findings: list[str] = Field(default=[], description="What was assumed about the data, or looks wrong with them.")


class SensorModelForm(Request):
    """The settings of an upload beside its files; the same options as of `imageflow train sensor`."""

    id: RecordId | None = None
    name: str = Field(default="", max_length=200)
    sensor: SensorName = DEFAULT_SENSOR
    activate: bool = False
    window: int = Field(default=1, ge=0, le=1000)
    false_alarms_per_week: float | None = Field(default=None, gt=0, le=10_000, allow_inf_nan=False)
    percent: float | None = Field(default=None, ge=95, le=99, allow_inf_nan=False)
    automatic: bool = False
    scaling: Literal["standard", "robust"] = "standard"
    epochs: int | None = Field(default=None, ge=1, le=10_000)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)
    leave_out: list[str] = Field(default=[], max_length=MAX_VALUES)
    keep: list[str] = Field(default=[], max_length=MAX_VALUES)
    encoding: str = Field(default="", max_length=40)
    decimal: Literal["", ".", ","] = ""
    skip_lines: int | None = Field(default=None, ge=0, le=100_000)
    missing: list[str] = Field(default=[], max_length=20)

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        if encoding and not is_known_encoding(encoding):
            raise RejectedValueError("value-invalid")
        return encoding


class Percentile(Reply):
    """A threshold to choose from."""

    percent: float
    threshold: float


class ThresholdReply(Reply):
    """The threshold of a model, and the errors of the training rows that it is chosen from."""

    threshold: float
    method: ThresholdMethod
    percent: float | None
    percentiles: list[Percentile] = Field(description="The thresholds at 95 to 99 %.")
    automatic: float = Field(description="Where one normal row in a thousand is expected, by the tail of the errors.")
    histogram_counts: list[int]
    histogram_edges: list[float] = Field(description="One more than counts.")
    held_out: bool = Field(description="Whether the errors are those of rows held out from the training.")


class ThresholdChange(Request):
    """One of three ways to set a threshold."""

    percent: Real | None = Field(default=None, ge=95, le=99, description="Percentile of the errors.")
    automatic: Flag = Field(default=False, description="By the tail of the errors.")
    value: Real | None = Field(default=None, gt=0, le=1e12, description="The threshold itself.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.percent is not None) + (self.value is not None) + self.automatic != 1:
            raise RejectedValueError("value-threshold-one-way")
        return self
