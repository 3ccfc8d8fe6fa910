"""Online learning and drift on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.anomaly.schemas import MAX_ROWS, Row
from server.anomaly.stream_schemas import StreamRow
from sync.shared.schemas import Reply, Request


class LearnRequest(Request):
    """Rows of normal operation, as they were measured."""

    rows: Annotated[list[StreamRow], Field(min_length=1, max_length=MAX_ROWS)]


class ShiftReply(Reply):
    """How far a feature has moved."""

    feature: str
    distance: float = Field(description="In standard deviations of the training.")
    at_bound: bool = Field(description="It moves no further: somebody should look at the machine.")


class LearningReply(Reply):
    """What a model has learned while running."""

    rows_learned: int = Field(description="Since the model was trained or learning was taken back.")
    waiting: int = Field(description="Rows that are learned once as many further ones pass without an event.")
    quarantine_left: int = Field(description="Rows that are left out after an event.")
    shifts: list[ShiftReply]


class LearnedRows(LearningReply):
    """What became of rows."""

    accepted: int = Field(description="Rows that wait to be learned.")
    too_near_the_threshold: int = Field(description="Rows left out because their score is above 0.8 of the threshold.")
    quarantined: int = Field(description="Rows left out because of an event before them.")
    warming_up: int = Field(description="Rows that only filled the first window.")
    not_judged: int = Field(description="Rows with more than half of their values missing.")
    late: int = Field(description="Rows no newer than the newest one before; the same rows again are all late.")


class DriftRequest(Request):
    """Rows to compare with the training."""

    rows: Annotated[list[Row], Field(min_length=1, max_length=MAX_ROWS)]


class DriftReply(Reply):
    """How far the values of a sensor have moved."""

    column: str
    rows: int
    stability_index: float = Field(description="Population stability index.")
    distance: float = Field(description="Largest difference of the distributions, 0 to 1.")
    shift: float = Field(description="Of the mean, in standard deviations of the training.")
    level: Literal["too-few-rows", "stable", "moved", "changed"]
    message: str
