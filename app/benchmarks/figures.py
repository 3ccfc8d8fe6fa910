"""What a benchmark returns: a named figure with its unit, its goal and the command that makes it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True)
class Goal:
    """A bound for a figure, from ``at_most`` or ``at_least``."""

    sign: Literal["≤", "≥"]
    bound: float

    def kept_by(self, value: float) -> bool:
        """Return whether ``value`` is within the bound."""
        return value <= self.bound if self.sign == "≤" else value >= self.bound


def at_most(bound: float | None) -> Goal | None:
    """Return the goal not to exceed ``bound``; none without one."""
    return None if bound is None else Goal("≤", bound)


def at_least(bound: float | None) -> Goal | None:
    """Return the goal not to fall below ``bound``; none without one."""
    return None if bound is None else Goal("≥", bound)


def judged_figure(
    name: str,
    value: float | None,
    what: str,
    goal: Goal | None = None,
    *,
    unit: str = "",
    valid: bool = True,
    interval: tuple[float, float] | None = None,
    note: str = "",
) -> Figure:
    """Return a figure that is judged by its goal.

    Args:
        name: as in ``Figure``; so are value, what, unit, interval and note.
        value: what was measured.
        what: what it is.
        goal: None for a figure without one.
        unit: of value and goal; rates a second stand without it in the goal.
        valid: whether the measurement counts, such as when no request was refused; else the goal is missed.
        interval: of 95 %.
        note: what a reader must know.
    """
    return Figure(
        name=name,
        value=value,
        unit=unit,
        what=what,
        goal="" if goal is None else f"{goal.sign} {goal.bound:g} {'' if unit == '1/s' else unit}".rstrip(),
        met=None if goal is None or value is None else valid and goal.kept_by(value),
        interval=interval,
        note=note,
    )
