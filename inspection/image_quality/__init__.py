"""The quality gate before the pipeline: focus, exposure, motion."""

from inspection.image_quality.bounds import QualityBounds, read_bounds, write_bounds
from inspection.image_quality.gate import FrameRefused, QualityGate, Refusal, refusals
from inspection.image_quality.learning import LearnedBounds, learn_bounds
from inspection.image_quality.measures import ImageQuality, measure_quality
from inspection.image_quality.motion import shows_motion

__all__ = [
    "FrameRefused",
    "ImageQuality",
    "LearnedBounds",
    "QualityBounds",
    "QualityGate",
    "Refusal",
    "learn_bounds",
    "measure_quality",
    "read_bounds",
    "refusals",
    "shows_motion",
    "write_bounds",
]
