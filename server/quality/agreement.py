"""How far the machine and persons agree: escapes, overkill, agreement, Cohen's kappa; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.states import HumanVerdict

_OK, _NG = HumanVerdict.OK.value, HumanVerdict.NG.value


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    total: int

    @property
    def rate(self) -> float | None:
        """Percent, to two places; None of nothing."""
        return round(100 * self.count / self.total, 2) if self.total else None


@dataclass(frozen=True, slots=True)
class Agreement:
    """The machine against persons, over what both have judged OK or NG; a person's verdict is taken for the truth.

    Attributes:
        agreed: same verdict, of all that both judged.
        escapes: the machine's OK, of those that persons found NG: the false negative rate.
        overkill: the machine's NG, of those that persons found OK: the false positive rate.
        kappa: Cohen's kappa, −1 to 1; None where chance alone would agree on everything.
    """

    agreed: Share
    escapes: Share
    overkill: Share
    kappa: float | None


def agreement(both: Mapping[tuple[str, str], int]) -> Agreement:
    """Return the agreement of pairs of verdicts.

    Args:
        both: machine and person, OK or NG each → how many.
    """
    ok_ok, ok_ng = both.get((_OK, _OK), 0), both.get((_OK, _NG), 0)
    ng_ok, ng_ng = both.get((_NG, _OK), 0), both.get((_NG, _NG), 0)
    total = ok_ok + ok_ng + ng_ok + ng_ng
    return Agreement(
        agreed=Share(ok_ok + ng_ng, total),
        escapes=Share(ok_ng, ok_ng + ng_ng),
        overkill=Share(ng_ok, ok_ok + ng_ok),
        kappa=cohen_kappa(ok_ok, ok_ng, ng_ok, ng_ng),
    )


def cohen_kappa(ok_ok: int, ok_ng: int, ng_ok: int, ng_ng: int) -> float | None:
    """Return Cohen's kappa of two raters with two categories, to four places.

    κ = (p_o − p_e) / (1 − p_e), where p_o is the observed share of agreement and p_e the share that chance gives by
    the raters' own shares. J. Cohen, "A Coefficient of Agreement for Nominal Scales", Educational and Psychological
    Measurement 20 (1960), 37-46.

    Args:
        ok_ok: both say OK.
        ok_ng: the first says OK, the second NG.
        ng_ok: the other way round.
        ng_ng: both say NG.
    """
    total = ok_ok + ok_ng + ng_ok + ng_ng
    if not total:
        return None
    # In whole numbers, so that perfect agreement by chance is recognised exactly.
    by_chance = (ok_ok + ok_ng) * (ok_ok + ng_ok) + (ng_ok + ng_ng) * (ok_ng + ng_ng)
    if by_chance == total * total:
        return None
    observed = (ok_ok + ng_ng) * total
    return round((observed - by_chance) / (total * total - by_chance), 4)
