"""Where a part lies compared with a reference image, found to a fraction of a pixel or not at all.

Matching features (SIFT, Lowe 2004; RANSAC, Fischler and Bolles 1981) give a first pose, phase correlation another one
where features are few; the enhanced correlation coefficient (Evangelidis and Psarakis 2008) makes it finer. Whatever
way it was found, a pose counts only when the picture brought into it looks like the reference.
"""

from inspection.alignment.matrices import Motion
from inspection.alignment.pose import Pose, find_pose

__all__ = ["Motion", "Pose", "find_pose"]
