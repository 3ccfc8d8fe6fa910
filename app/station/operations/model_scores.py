"""What a model says of good parts it was not fitted on, and where the threshold lies among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inspection.anomaly import read_manifest
from models.errors import DoesNotFit, Unavailable
from models.pipelines import ModelFile
from models.sync import Blob

if TYPE_CHECKING:
    from app.station.views import ItemView
    from app.station.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ScoreDistribution:
    """Scores of good images that were held out of the fit, ascending, and the threshold that applies to the item."""

    model_id: str
    scores: tuple[float, ...]
    threshold: float


def score_distribution(workspace: Workspace, item: ItemView) -> ScoreDistribution:
    """Return the score distribution of the item's model.

    Raises:
        DoesNotFit: ``item-without-model``.
        Unavailable: ``model-not-here`` when its bytes have not come to this station yet.
        InvalidInput: when the bundle is damaged.
    """
    with workspace.database.read() as session:
        model = session.get(ModelFile, item.model_id) if item.model_id else None
        if model is None:
            raise DoesNotFit("item-without-model", item=item.name)
        blob = session.get(Blob, model.sha256)
        if blob is None or not blob.present:
            raise Unavailable("model-not-here", sha256=model.sha256)
    manifest = read_manifest(workspace.blobs.path(model.sha256))
    threshold = item.threshold if item.threshold is not None else manifest.threshold.value
    return ScoreDistribution(model.id, manifest.scores, threshold)
