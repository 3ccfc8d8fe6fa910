"""The plate's outline in its own frame, in pixels with the centre at (0, 0), as signed distances.

Elementwise ``+ - * / sqrt abs min max`` alone: IEEE 754 rounds each of them exactly one way, so every machine draws the
same. Distances are negative inside the named shape.
Source of the rounded box: I. Quilez, "2D distance functions" (the usual closed form).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from resources.parts.rng import Field, Rng

HALF_WIDTH = 126.0
HALF_HEIGHT = 98.0
CORNER = 16.0
EDGE_CHAMFER = 6.0
BORE = (-16.0, -6.0, 37.0)
BORE_CHAMFER = 5.0
BOLT_HOLES = ((-98.0, -70.0, 10.0), (98.0, -70.0, 10.0), (-98.0, 70.0, 10.0), (98.0, 70.0, 10.0))
COUNTERSINK = 4.0
SLOT = (76.0, 10.0, 8.0, 26.0)  # centre u, v, half width, half length


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a part lies: shift in pixels, turn in degrees, size factor."""

    shift_u: float
    shift_v: float
    turn: float
    size: float

    @staticmethod
    def drawn(rng: Rng) -> Pose:
        """Return a pose within what a simple fixture allows."""
        return Pose(rng.uniform(-7.0, 7.0), rng.uniform(-7.0, 7.0), rng.uniform(-3.5, 3.5), rng.uniform(0.985, 1.015))

    def plate_frame(self, size: int) -> tuple[Field, Field]:
        """Return the plate coordinates (u, v) of every pixel of a ``size`` x ``size`` image, float32."""
        cosine, sine = direction(self.turn)
        axis = np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)
        x = (axis - np.float32(self.shift_u))[None, :]
        y = (axis - np.float32(self.shift_v))[:, None]
        scale = np.float32(1 / self.size)
        return (cosine * x + sine * y) * scale, (cosine * y - sine * x) * scale


def direction(degrees: float) -> tuple[float, float]:
    """Return cosine and sine, rounded so that the last bit of the C library does not matter."""
    radians = math.radians(degrees)
    return round(math.cos(radians), 9), round(math.sin(radians), 9)


def rounded_box(u: Field, v: Field, half_width: float, half_height: float, corner: float) -> Field:
    """Return the signed distance to a rounded rectangle round the origin."""
    across = np.abs(u) - np.float32(half_width - corner)
    along = np.abs(v) - np.float32(half_height - corner)
    right, top = np.maximum(across, 0), np.maximum(along, 0)
    outside: Field = np.sqrt(right * right + top * top)
    return outside + np.minimum(np.maximum(across, along), 0) - np.float32(corner)


def circle(u: Field, v: Field, centre_u: float, centre_v: float, radius: float) -> Field:
    """Return the signed distance to a circle."""
    du, dv = u - np.float32(centre_u), v - np.float32(centre_v)
    distance: Field = np.sqrt(du * du + dv * dv)
    return distance - np.float32(radius)


def bell(distance: Field, radius: float) -> Field:
    """Return a smooth bump: 1 at distance 0, 0 from ``radius`` on, (1 - d²)² between."""
    near: Field = np.maximum(1 - (distance / np.float32(radius)) * (distance / np.float32(radius)), 0)
    return near * near


def segment(u: Field, v: Field, start: tuple[float, float], end: tuple[float, float]) -> Field:
    """Return the distance to a straight stroke from ``start`` to ``end`` (unsigned)."""
    du, dv = end[0] - start[0], end[1] - start[1]
    length = max(du * du + dv * dv, 1e-6)
    pu, pv = u - np.float32(start[0]), v - np.float32(start[1])
    along = np.minimum(np.maximum((pu * np.float32(du) + pv * np.float32(dv)) / np.float32(length), 0), 1)
    ru, rv = pu - along * np.float32(du), pv - along * np.float32(dv)
    distance: Field = np.sqrt(ru * ru + rv * rv)
    return distance


def is_bare_surface(u: float, v: float, margin: float) -> bool:
    """Return whether a point of the plate lies at least ``margin`` pixels from every edge and hole."""
    point_u, point_v = np.array([[u]], np.float32), np.array([[v]], np.float32)
    clearances = [-rounded_box(point_u, point_v, HALF_WIDTH, HALF_HEIGHT, CORNER)]
    clearances += [circle(point_u, point_v, *hole) for hole in (BORE, *BOLT_HOLES)]
    slot_u, slot_v, half_width, half_length = SLOT
    clearances.append(rounded_box(point_u - slot_u, point_v - slot_v, half_width, half_length, half_width))
    return all(float(clearance[0, 0]) >= margin for clearance in clearances)


def bare_point(rng: Rng, margin: float) -> tuple[float, float]:
    """Return a random point of the bare surface (see ``is_bare_surface``)."""
    while True:
        u = rng.uniform(-HALF_WIDTH + margin, HALF_WIDTH - margin)
        v = rng.uniform(-HALF_HEIGHT + margin, HALF_HEIGHT - margin)
        if is_bare_surface(u, v, margin):
            return u, v
