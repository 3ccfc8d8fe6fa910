"""Checks releases of models before this station inspects with them: signature, digest, scores of the training."""

from __future__ import annotations

from dataclasses import dataclass

from inspection.model_library.checking import require_same_scores
from models.database import Database
from models.errors import DoesNotFit, InvalidInput, PermissionDenied, UserFacingError
from models.messages import LocalText
from models.releases import ModelRelease
from sync.shared.releases import signature_holds, stage_holds
from sync.station.blobs import BlobStore
from sync.station.client import ServerClient
from sync.station.releases import STAGE_WRONG, note_check, unchecked_releases
from sync.station.state import RELEASE_KEY, get_value, set_value


@dataclass(frozen=True, slots=True)
class ReleaseChecks:
    """Checks what came with a pass.

    Attributes:
        database: the station's.
        blobs: its blob store.
        client: the server, for the key of a station that was enrolled before there were releases.
        device_id: this station.
    """

    database: Database
    blobs: BlobStore
    client: ServerClient
    device_id: str

    def run(self) -> list[str]:
        """Check the releases that are new and whose bytes are here, and return the codes of those refused.

        Each result is noted and goes to the server with the next pass. A refused release changes nothing: inspection
        goes on with the model before.
        """
        with self.database.read() as session:
            releases = unchecked_releases(session, self.device_id)
        refused = []
        for release in releases:
            if not self.blobs.exists(release.sha256):
                continue
            code = ""
            try:
                self._require_sound(release)
            except (PermissionDenied, InvalidInput, DoesNotFit) as error:
                code = error.code
                refused.append(code)
            note_check(self.database, release, device_id=self.device_id, code=code)
        return refused

    def _require_sound(self, release: ModelRelease) -> None:
        """Check a release.

        Raises:
            PermissionDenied: ``release-signature-wrong``; ``release-stage-wrong`` when the server has not signed that
                it is meant for this station.
            InvalidInput: ``release-digest-differs``.
            DoesNotFit: ``release-scores-differ``.
            UserFacingError: when the server does not give its key.
        """
        key = self._key()
        if not signature_holds(release, release.signature, key):
            raise PermissionDenied("release-signature-wrong", name=release.name)
        if not stage_holds(release, release.stage_signature, key):
            raise PermissionDenied(STAGE_WRONG, name=release.name)
        if not self.blobs.verify(release.sha256):
            raise InvalidInput("release-digest-differs", name=release.name)
        try:
            require_same_scores(self.blobs.path(release.sha256))
        except UserFacingError as error:
            text = error.text()
            reason = LocalText(f"{text.title} {text.detail}", error.code, dict(error.values))
            raise DoesNotFit("release-scores-differ", name=release.name, reason=reason) from error

    def _key(self) -> str:
        """Return the key of the server's releases; the first one that it gives is kept for good."""
        with self.database.read() as session:
            known = get_value(session, RELEASE_KEY)
        if known:
            return known
        given = self.client.release_key()
        with self.database.transaction() as session:
            set_value(session, RELEASE_KEY, given)
        return given
