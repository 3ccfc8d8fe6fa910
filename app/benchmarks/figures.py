"""What a benchmark returns: a named figure with its unit, its goal and the command that makes it again."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Figure(BaseModel):
    """One measured figure.

    Attributes:
        name: key in the JSON output and in ``docs/performance.md``; stays the same from version to version.
        value: what was measured; None when it could not be, with the reason in ``note``.
        unit: ``ms``, ``s``, ``MB``, ``1/s``, or empty for rates, scores and counts.
        what: what it is, for people, in one line.
        command: the command that measures it again; the runner enters that of the area.
        goal: what was aimed at, such as ``≤ 20 ms``; empty without a goal.
        met: whether the goal was met; None without a goal.
        interval: lower and upper bound of a 95 % interval, where one was computed.
        note: what a reader must know to read the figure rightly.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    value: float | None
    unit: str = ""
    what: str
    command: str = ""
    goal: str = ""
    met: bool | None = None
    interval: tuple[float, float] | None = None
    note: str = ""
