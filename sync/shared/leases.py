"""Which of several stores is a station's own: the rule, as a function of values.

A store has a random id and a lease. Each pass with something to send takes the next lease; the server knows the newest
one. A copy of a store, whatever made it, still holds the lease of the moment it was made: the first of the two that
takes the next one goes on, the other one comes with a lease that is no longer good, and that is seen.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from models.states import StoreState
from sync.shared.protocol import StoreClaim


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of a store to send: ``epoch`` counts up, ``token`` tells two leases of one epoch apart."""

    epoch: int
    token: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the lease of its text; an empty text is that of a store that never had one."""
        epoch, _, token = text.partition("-")
        return cls(int(epoch or 0), token)

    def following(self) -> Lease:
        """Return a lease to take next."""
        return Lease(self.epoch + 1, secrets.token_hex(8))

    def __str__(self) -> str:
        return f"{self.epoch}-{self.token}" if self.epoch else ""


@dataclass(frozen=True, slots=True)
class KnownStore:
    """What the server knows of a store."""

    id: str
    state: StoreState
    lease: str
    machine: str


class ClaimDecision(StrEnum):
    """What a claim means to the server.

    ``KEEP``: nothing changes; ``TAKE``: the lease moves on; ``WENT_BACK``: the same, and the server has forgotten later
    leases; ``BIND``: the store becomes the station's own; ``REFUSE``: another store is.
    """

    KEEP = "keep"
    TAKE = "take"
    WENT_BACK = "went_back"
    BIND = "bind"
    REFUSE = "refuse"


def decide(
    claim: StoreClaim, current: KnownStore | None, own: KnownStore | None, parent: KnownStore | None
) -> ClaimDecision:
    """Return what becomes of a claim.

    Args:
        claim: as the store sent it.
        current: the store that is the station's own; None when it has none yet.
        own: what is known of the store that claims; None when it is new.
        parent: what is known of the store that it was a copy of; None when nothing is.
    """
    if current is None:
        return ClaimDecision.BIND
    if claim.store_id == current.id:
        return _of_current(claim, current)
    if own is None and claim.restored and _was_own(parent) and claim.machine == current.machine:
        # A person restored a backup on the station's own machine: the life after the backup has ended.
        return ClaimDecision.BIND
    return ClaimDecision.REFUSE


def _was_own(parent: KnownStore | None) -> bool:
    return parent is not None and parent.state is not StoreState.REFUSED


def _of_current(claim: StoreClaim, current: KnownStore) -> ClaimDecision:
    if claim.machine and current.machine and claim.machine != current.machine:
        return ClaimDecision.REFUSE
    if not current.lease:
        return ClaimDecision.TAKE
    if claim.next == current.lease:
        return ClaimDecision.KEEP
    held, known = Lease.parse(claim.held), Lease.parse(current.lease)
    if held == known:
        return ClaimDecision.TAKE
    return ClaimDecision.WENT_BACK if held.epoch > known.epoch else ClaimDecision.REFUSE
