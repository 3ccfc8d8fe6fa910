"""Streams of machines on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from server.anomaly.schemas import DEFAULT_SENSOR, EpisodeSensor, ModelChoice, Row, SensorName
from sync.shared.schemas import Code, GivenMoment, Id, Moment, Reply, Request

MOST_ROWS = 10_000
StreamStatus = Literal["normal", "anomaly", "filling", "not-judged", "late"]
StreamName = Annotated[Code, Field(description="The client's name of the machine.")]


class StreamRow(Request):
    """A row with its time."""

    at: GivenMoment = Field(description="When it was measured; identifies and orders the rows.")
    values: Row = Field(description="The values, in the order of the model's columns.")


class StreamRows(Request):
    """Further rows of a machine."""

    rows: Annotated[list[StreamRow], Field(min_length=1, max_length=MOST_ROWS)]
    sensor: SensorName = DEFAULT_SENSOR
    model: ModelChoice = None


class StreamResult(Reply):
    """What became of a row."""

    at: Moment
    score: float | None = Field(description="null for a row that is late or not judged.")
    status: StreamStatus = Field(
        description="`filling`: the first window is not full. `not-judged`: more than half of the values are missing. "
        "`late`: older than the newest row that was scored, and not among those remembered."
    )
    repeated: bool = Field(description="Whether the row of this time was scored before; the score is that one.")


class StreamEpisode(Reply):
    """Anomalies of a stream that belong together."""

    start: Moment = Field(description="Time of the first anomaly.")
    end: Moment = Field(description="Time of the last one so far.")
    peak: Moment = Field(description="Time of the highest score.")
    score: float = Field(description="Of that row.")
    anomalies: int = Field(ge=1)
    open: bool = Field(description="Whether it may go on: the hold-off of the model has not passed since `end`.")
    sensors: list[EpisodeSensor] = Field(description="The three that contribute most, in descending order.")


class StreamResults(Reply):
    """The results of rows, in the order of the request."""

    results: list[StreamResult]
    anomalies: int = Field(ge=0, description="Among the rows that were scored by this request.")
    threshold: float
    episodes: list[StreamEpisode] = Field(
        description="Those that were open before this request, or began in it, of a model that judges rows by those "
        "before; else empty."
    )


class StreamReply(Reply):
    """A stream."""

    id: str
    model_id: Id
    newest_at: Moment | None = Field(description="Time of the newest row that was scored.")
    rows: int = Field(description="Rows scored.")
    anomalies: int
    last_status: str
    created_at: Moment
    updated_at: Moment


class StreamDetail(StreamReply):
    """A stream with its episodes."""

    unversioned: ClassVar[frozenset[str]] = frozenset({"episodes"})

    episodes: list[StreamEpisode] = Field(description="The newest 64, in the order of time.")


def seconds_of(moment: datetime) -> float:
    """Return a time in seconds since 1970."""
    return moment.timestamp()
