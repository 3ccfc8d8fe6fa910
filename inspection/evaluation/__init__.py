"""Evaluating a model on labelled images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inspection.evaluation.curves import curves_of
from inspection.evaluation.figures import curves_as_json, figures_of
from inspection.evaluation.scored_set import ScoredSet
from inspection.evaluation.scoring import Progress, ScoringModel, score_set
from models.messages import Language

__all__ = ["ScoredSet", "ScoringModel", "evaluate", "results_of", "score_set"]


def evaluate(
    model: ScoringModel,
    good: Path,
    defect: Path,
    masks: Path | None = None,
    *,
    threshold: float | None = None,
    language: Language = "en",
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluate ``model`` on good and defective images.

    Returns:
        the figures of ``figures_of``, as JSON values.

    Raises:
        NotFound: ``folder-missing``.
        InvalidInput: as ``score_set``.
    """
    return figures_of(
        score_set(model, good, defect, masks, threshold=threshold, language=language, on_progress=on_progress)
    )


def results_of(scored: ScoredSet) -> dict[str, Any]:
    """Return the figures, and under ``curves`` the points of the plots, as JSON values."""
    return {**figures_of(scored), "curves": curves_as_json(curves_of(scored))}
