"""How the model of a series does on generated machines of a small factory.

``python -m app.benchmarks.inspection.sensor_study`` prints a table row for each kind of machine, and one for all, of
the seeds 1000 to 1011, which were in sight when the edges of single stops were left out of the limits. The other
choices were made on the seeds 700 to 711 (``--seeds 700-712``), and machines of 900 to 911 were looked at. ``--each``
prints a line for each machine with a missed fault or a false episode too.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.benchmarks.inspection.factory_machines import factory
from app.benchmarks.inspection.machines import Machine
from app.benchmarks.inspection.sensors import judged, model_of
from inspection.sensor import score_rows

HELD_OUT = range(1000, 1012)
_YEAR_S = 365 * 86_400.0
_HEADER = (
    "| machine | faults found | false episodes | years | a year | most on one machine |",
    "| --- | --- | --- | --- | --- | --- |",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the product makes of one machine.

    Attributes:
        name: of the machine.
        weeks: of training.
        faults: how many there are.
        peaks: the highest score of each until its deadline, as a multiple of the threshold.
        false: false episodes.
        years: of the rows after the training.
        cycles: periods that were found, in rows.
    """

    name: str
    weeks: float
    faults: int
    peaks: tuple[float, ...]
    false: int
    years: float
    cycles: tuple[float, ...]

    @property
    def found(self) -> int:
        """Faults found by their deadline."""
        return sum(peak > 1 for peak in self.peaks)


def outcome_of(machine: Machine) -> Outcome:
    """Return the outcome of a machine, trained with nothing set."""
    model, later = model_of(machine), slice(machine.training, None)
    multiples = score_rows(model, machine.values[later], machine.seconds[later]).scores / model.metadata.threshold
    series = model.metadata.series
    peaks = (
        float(np.nanmax(multiples[fault.start - machine.training : fault.end - machine.training]))
        for fault in machine.faults
    )
    return Outcome(
        machine.name,
        float(machine.seconds[machine.training] - machine.seconds[0]) / (7 * 86_400),
        len(machine.faults),
        tuple(peaks),
        judged(machine, multiples, model.metadata.hold_off).false,
        float(machine.seconds[-1] - machine.seconds[machine.training]) / _YEAR_S,
        () if series is None else tuple(period for period, _ in series.cycles),
    )


def table_rows(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield a table row for each kind of machine, and one for all."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.name].append(outcome)
    together = [outcome for group in groups.values() for outcome in group]
    for name, group in [*groups.items(), ("all", together)]:
        found, faults = sum(one.found for one in group), sum(one.faults for one in group)
        false, years = sum(one.false for one in group), sum(one.years for one in group)
        worst = max(one.false for one in group)
        yield f"| {name} | {found} of {faults} | {false} | {years:.1f} | {false / years:.1f} | {worst} |"


def lines_of_flaws(outcome: Outcome) -> Iterator[str]:
    """Yield a line for a machine with a missed fault or a false episode."""
    if outcome.false or outcome.found < outcome.faults:
        peaks = ", ".join(f"{peak:.2f}" for peak in outcome.peaks)
        periods = ", ".join(f"{period:.7g}" for period in outcome.cycles)
        yield f"{outcome.name}: {outcome.weeks:.0f} weeks, peaks {peaks}, {outcome.false} false, cycles {periods}"


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default=f"{HELD_OUT.start}-{HELD_OUT.stop}", help="the first, and the last plus 1")
    parser.add_argument("--each", action="store_true", help="print machines with missed faults or false episodes")
    given = parser.parse_args(arguments)
    first, end = map(int, given.seeds.split("-"))
    outcomes = []
    for seed in range(first, end):
        for machine in factory(seed):
            outcomes.append(outcome_of(machine))
            if given.each:
                _print(lines_of_flaws(outcomes[-1]))
    _print(_HEADER)
    _print(table_rows(outcomes))


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(line + "\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
