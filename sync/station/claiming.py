"""The beginning of a pass: the server confirms that this store is the station's own, and says whether it went back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.audit import AuditEntry
from models.database import Database
from models.errors import Conflict, NotFound, NotSignedIn
from sync.shared.problems import DEVICE_REVOKED, STORE_FORKED, code_of, member_of
from sync.shared.protocol import MAX_COMPARED, ClaimAnswer, HeldRecord, Inventory, StoreClaim
from sync.station.audit_chain import diverged, give_up_places, move_entries, waiting_entries
from sync.station.client import ServerClient
from sync.station.comparing import begin_comparison
from sync.station.handed_over import give_back
from sync.station.identity import note_fork, prepare_claim, take_answer
from sync.station.state import REVOKED_AT, forget_position, get_value


@dataclass(frozen=True, slots=True)
class PassClaim:
    """Claims a pass.

    Attributes:
        database: the station's.
        client: the server.
        device_id: this station.
        machine: digest of this machine, empty when nothing tells it from others.
    """

    database: Database
    client: ServerClient
    device_id: str
    machine: str

    def make(self) -> None:
        """Claim a pass for this store; what follows from the answer is in the store when this returns.

        A server that went back is compared with after this. Audit entries that the server holds of another life of the
        station go before those that wait here. What a former station has sent of what waits here is that one's again.

        Raises:
            NotSignedIn: ``device-revoked`` once the server has said so.
            Conflict: ``store-forked`` when another store is the station's own; everything stays here.
            UserFacingError: when the server does not answer.
        """
        self._require_not_revoked()
        claim = prepare_claim(self.database, self.machine)
        try:
            claim, answer = self._claimed(claim)
        except NotFound:
            return  # A server from before claims: it has neither leases nor generations.
        with self.database.transaction() as session:
            if take_answer(session, claim, answer):
                forget_position(session)
                begin_comparison(session)
            apart = diverged(session, self.device_id, answer.audit_sequence, answer.audit_digest)
        if apart:
            self._move_entries(answer)
        give_back(self.database, self.client)

    def _require_not_revoked(self) -> None:
        with self.database.read() as session:
            if get_value(session, REVOKED_AT) is not None:
                raise NotSignedIn(DEVICE_REVOKED)

    def _claimed(self, claim: StoreClaim) -> tuple[StoreClaim, ClaimAnswer]:
        """Send a claim, once more under an id of its own where the first is another store's; return the one taken."""
        try:
            return claim, self.client.begin(claim)
        except Conflict as error:
            if not self._is_fork(error):
                raise
        claim = prepare_claim(self.database, self.machine)
        try:
            return claim, self.client.begin(claim)
        except Conflict as error:
            self._is_fork(error)
            raise

    def _is_fork(self, error: Conflict) -> bool:
        """Record a refusal of this store; return whether it has another id to claim with now."""
        if code_of(error) != STORE_FORKED:
            return False
        taken = member_of(error, "store_id_taken") is True
        with self.database.transaction() as session:
            note_fork(session, self.device_id, taken=taken)
        return taken

    def _move_entries(self, answer: ClaimAnswer) -> None:
        with self.database.read() as session:
            waiting = waiting_entries(session, self.device_id)
        lacking = [entry_id for page in _pages(waiting) for entry_id in self._lacking(page)]
        with self.database.transaction() as session:
            give_up_places(session, [entry_id for entry_id in waiting if entry_id not in set(lacking)])
            move_entries(
                session,
                lacking,
                device_id=self.device_id,
                sequence=answer.audit_sequence,
                digest=answer.audit_digest,
            )
            forget_position(session)

    def _lacking(self, entry_ids: Sequence[str]) -> list[str]:
        records = [HeldRecord(entity=AuditEntry.entity, entity_id=entry_id) for entry_id in entry_ids]
        absent = {one.entity_id for one in self.client.compare(Inventory(records=records)).records}
        return [entry_id for entry_id in entry_ids if entry_id in absent]


def _pages(entry_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(entry_ids), MAX_COMPARED):
        yield entry_ids[start : start + MAX_COMPARED]
