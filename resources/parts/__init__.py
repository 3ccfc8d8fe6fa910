"""Sample parts: deterministic drawings of a machined plate, good or with a defect and its mask.

They stand in for a camera where there is none: the demo, a first try, and the tests. Nothing here is photographed or
taken from anywhere else.
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
