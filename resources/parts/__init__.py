"""Sample parts: deterministic drawings of a machined plate, good or with a defect and its mask.

They replace a camera in the demo, for first trials, and in tests. All are computed; none is photographed or copied.
"""

from resources.parts.defects import DEFECT_CLASSES
from resources.parts.drawing import GOOD, IMAGE_SIZE, Part, draw_part
from resources.parts.folder import PartRecord, PartsFolder, write_parts

__all__ = [
    "DEFECT_CLASSES",
    "GOOD",
    "IMAGE_SIZE",
    "Part",
    "PartRecord",
    "PartsFolder",
    "draw_part",
    "write_parts",
]
