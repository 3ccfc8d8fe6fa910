"""What a machined surface looks like: cutter marks, sheen, grain, harmless stains and dust; in grey levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resources.parts.geometry import bell, direction
from resources.parts.rng import Field, Rng


def value_noise(rng: Rng, u: Field, v: Field, cell_u: float, cell_v: float) -> Field:
    """Return smooth noise over plate coordinates: a random table, read with linear interpolation.

    Args:
        rng: source of the table.
        u: plate coordinates, broadcastable to the image.
        v: the same.
        cell_u: pixels a table cell spans along u; with a smaller ``cell_v`` the noise is brushed along u.
        cell_v: pixels a table cell spans along v.
    """
    low_u, low_v = float(u.min()), float(v.min())
    columns = int((float(u.max()) - low_u) / cell_u) + 3
    rows = int((float(v.max()) - low_v) / cell_v) + 3
    table = rng.noise(rows * columns)
    place_u, place_v = (u - np.float32(low_u)) / np.float32(cell_u), (v - np.float32(low_v)) / np.float32(cell_v)
    column: NDArray[np.int32] = place_u.astype(np.int32)
    row: NDArray[np.int32] = place_v.astype(np.int32)
    part_u, part_v = place_u - column, place_v - row
    corner = row * np.int32(columns) + column
    upper = table[corner] * (1 - part_u) + table[corner + 1] * part_u
    lower = table[corner + columns] * (1 - part_u) + table[corner + columns + 1] * part_u
    mixed: Field = (upper * (1 - part_v) + lower * part_v).astype(np.float32)
    return mixed


def milled_surface(rng: Rng, u: Field, v: Field) -> Field:
    """Return the marks of a fly cutter: fine arcs of a large radius, stronger on some parts than on others."""
    cutter_u, cutter_v = rng.uniform(-60.0, 60.0), rng.uniform(520.0, 640.0)
    du, dv = u - np.float32(cutter_u), v - np.float32(cutter_v)
    radius: Field = np.sqrt(du * du + dv * dv)
    feed = rng.uniform(2.6, 3.6)
    fine = value_noise(rng, u, radius, 46.0, 1.1)
    coarse = value_noise(rng, u, radius, 90.0, feed)
    return np.float32(rng.uniform(3.0, 6.0)) * fine + np.float32(rng.uniform(2.5, 5.5)) * coarse


def sheen(rng: Rng, u: Field, v: Field) -> Field:
    """Return the broad bright band that a lamp leaves on brushed metal."""
    cosine, sine = direction(rng.uniform(60.0, 120.0))
    across = np.abs(u * np.float32(cosine) + v * np.float32(sine) - np.float32(rng.uniform(-60.0, 60.0)))
    return np.float32(rng.uniform(8.0, 24.0)) * bell(across, rng.uniform(90.0, 150.0))


def harmless_stains(rng: Rng, u: Field, v: Field) -> Field:
    """Return a few faint, wide, soft stains (dried coolant, handling): part of a good part's life."""
    stains = np.zeros_like(u)
    for _ in range(rng.whole(0, 3)):
        du = (u - np.float32(rng.uniform(-110.0, 110.0))) * np.float32(rng.uniform(0.7, 1.3))
        dv = v - np.float32(rng.uniform(-80.0, 80.0))
        distance: Field = np.sqrt(du * du + dv * dv)
        stains += np.float32(rng.uniform(-9.0, 5.0)) * bell(distance, rng.uniform(22.0, 60.0))
    return stains


def dust(rng: Rng, u: Field, v: Field) -> Field:
    """Return specks of dust of about a pixel, bright or dark."""
    specks = np.zeros_like(u)
    for _ in range(rng.whole(2, 9)):
        du, dv = u - np.float32(rng.uniform(-120.0, 120.0)), v - np.float32(rng.uniform(-92.0, 92.0))
        distance: Field = np.sqrt(du * du + dv * dv)
        specks += np.float32(rng.choose((-30.0, -22.0, 20.0, 28.0))) * bell(distance, rng.uniform(1.2, 2.2))
    return specks


def fixture(rng: Rng, u: Field, v: Field) -> Field:
    """Return the dark, grainy plastic that the plate lies on."""
    cloud = value_noise(rng, u, v, 34.0, 34.0)
    grain = value_noise(rng, u, v, 2.2, 2.2)
    return np.float32(rng.uniform(40.0, 58.0)) + 3 * cloud + np.float32(rng.uniform(2.5, 4.5)) * grain
