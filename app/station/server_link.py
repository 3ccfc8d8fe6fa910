"""The station's connection to its server: address, device credential, client and sync engine; from enrolment on."""

from __future__ import annotations

from collections.abc import Callable

from app.station.settings import StationSettings
from app.station.upkeep import after_pass
from models.clock import HybridLogicalClock
from models.database import Database
from sync.station.blobs import BlobStore
from sync.station.client import ServerClient
from sync.station.credentials import CredentialStore
from sync.station.engine import SyncEngine
from sync.station.hold import Hold
from sync.station.identity import note_revocation
from sync.station.listening import ChangeListener
from sync.station.machine import machine_digest, machine_id


class ServerLink:
    """Client and engine of an enrolled station.

    Attributes:
        client: talks to the server, as the device or as device and user.
        engine: synchronises; runs by itself after ``start``.
        listener: hears from the server when there is something to pull.
    """

    def __init__(
        self,
        *,
        server_url: str,
        device_id: str,
        credentials: CredentialStore,
        database: Database,
        blobs: BlobStore,
        clock: HybridLogicalClock,
        settings: StationSettings,
        language: Callable[[], str],
        held: Callable[[], Hold],
        metered: Callable[[], bool | None],
    ) -> None:
        self.server_url = server_url
        self._device_id = device_id
        self._credentials = credentials
        self._database = database
        self.client = ServerClient(
            server_url,
            device_id=device_id,
            credential=self._credential,
            on_checked=self._checked,
            on_revoked=self._revoked,
            timeout_s=settings.request_timeout_s,
            language=language,
        )
        self.engine = SyncEngine(
            database,
            blobs,
            self.client,
            clock,
            device_id=device_id,
            machine=machine_digest(settings.machine_id or machine_id(), device_id),
            interval_s=settings.sync_interval_s,
            held=held,
            metered=metered,
            told=lambda: self.listener.connected,
            upkeep=lambda: after_pass(database, blobs, self.client, device_id, settings),
        )

        # Only to a server that answers passes: one that cannot be reached or refuses the station is not asked twice.
        self.listener = ChangeListener(
            self.client,
            self.engine.request,
            lambda: self.engine.online and held() is not Hold.EVERYTHING,
        )

    def start(self) -> None:
        """Let the engine run by itself and listen to the server; does nothing when they do already."""
        self.engine.start()
        self.listener.start()

    @property
    def has_credential(self) -> bool:
        """Whether the device's credential is known, from the keyring or typed in since the start."""
        return self._credential() is not None

    def close(self) -> None:
        """End the threads and the connections."""
        self.listener.stop()
        self.engine.stop()
        self.client.close()

    def _credential(self) -> str | None:
        return self._credentials.get(self._device_id)

    def _revoked(self) -> None:
        """Wipe the credential; what has not been sent stays and can be exported."""
        self._credentials.forget(self._device_id)
        note_revocation(self._database, self._device_id)

    def _checked(self, credential: str, accepted: bool) -> None:
        self._credentials.checked(self._device_id, credential, accepted=accepted)
