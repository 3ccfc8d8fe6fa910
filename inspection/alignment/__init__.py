"""The pose of a part relative to a reference image, with sub-pixel accuracy.

Initial poses come from matching features (SIFT, Lowe 2004; RANSAC, Fischler and Bolles 1981) and from phase
correlation, for images with few features; the enhanced correlation coefficient (Evangelidis and Psarakis 2008) refines
them. Each pose has a confidence: the correlation of the reference with the image warped by it.
"""

from inspection.alignment.matrices import Motion
from inspection.alignment.pose import Pose, find_pose

__all__ = ["Motion", "Pose", "find_pose"]
