"""Defects of three classes, as changes to the plate's shape, relief and colour, before light falls on it.

Sizes, places and strengths vary from barely visible to plain. Coordinates are the plate's, in pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from resources.parts.geometry import (
    BOLT_HOLES,
    HALF_HEIGHT,
    HALF_WIDTH,
    bare_point,
    bell,
    direction,
    segment,
)
from resources.parts.rng import Field, Rng
from resources.parts.texture import value_noise

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Film:
    """Something that lies on the plate: how opaque it is at each pixel (0..1) and its colour (RGB, grey levels)."""

    opacity: Field
    colour: Colour


@dataclass(slots=True)
class Damage:
    """What a defect changes.

    Attributes:
        edge: pixels by which the outline is pushed in, or None.
        stretch: bolt hole by number, with its factors along u and v, or None.
        relief: height added to the surface, in pixels; light makes it visible; or None.
        shade: grey levels added to the surface, or None.
        films: what lies on top.
    """

    edge: Field | None = None
    stretch: tuple[int, float, float] | None = None
    relief: Field | None = None
    shade: Field | None = None
    films: list[Film] = field(default_factory=list)


def scratch(rng: Rng, u: Field, v: Field) -> Damage:
    """Return one to three thin curved grooves, deepest in the middle, with a bright or a dark bottom."""
    relief, shade = np.zeros_like(u), np.zeros_like(u)
    middle = bare_point(rng, 12.0)
    turn = rng.uniform(0.0, 180.0)
    for _ in range(rng.choose((1, 1, 2, 3))):
        groove = _groove(rng, u, v, middle, turn)
        relief -= groove * np.float32(rng.uniform(0.3, 0.7))
        shade += groove * np.float32(rng.choose((-1.0, 1.0, 1.0)) * rng.uniform(26.0, 58.0))
        middle = (middle[0] + rng.uniform(-9.0, 9.0), middle[1] + rng.uniform(-9.0, 9.0))
        turn += rng.uniform(-8.0, 8.0)
    return Damage(relief=relief, shade=shade)


def _groove(rng: Rng, u: Field, v: Field, middle: tuple[float, float], turn: float) -> Field:
    """Return the depth (0..1) of one groove along a quadratic curve through ``middle``."""
    cosine, sine = direction(turn)
    half, bend, width = rng.uniform(13.0, 50.0), rng.uniform(-7.0, 7.0), rng.uniform(0.7, 1.5)
    pieces = 14
    points = []
    for step in range(pieces + 1):
        along = 2 * step / pieces - 1
        off = bend * (1 - along * along)
        points.append((middle[0] + half * along * cosine - off * sine, middle[1] + half * along * sine + off * cosine))
    depth = np.zeros_like(u)
    for step in range(pieces):
        along = 2 * (step + 0.5) / pieces - 1
        taper = 1 - along * along * along * along
        near = bell(segment(u, v, points[step], points[step + 1]), 1.0 + width * (0.5 + 0.5 * taper))
        depth = np.maximum(depth, near * np.float32((0.45 + 0.55 * taper) * rng.uniform(0.8, 1.0)))
    return depth


def contamination(rng: Rng, u: Field, v: Field) -> Damage:
    """Return oil, a dry residue, or a cluster of chips and dirt."""
    draw: Callable[[Rng, Field, Field], Damage] = rng.choose((_oil, _residue, _chips))
    return draw(rng, u, v)


def _blot(rng: Rng, u: Field, v: Field, centre: tuple[float, float], radius: float) -> Field:
    """Return a ragged blot: distance to its rim in pixels, positive inside."""
    cosine, sine = direction(rng.uniform(0.0, 180.0))
    du, dv = u - np.float32(centre[0]), v - np.float32(centre[1])
    long, across = (du * cosine + dv * sine) * np.float32(rng.uniform(0.6, 0.9)), dv * cosine - du * sine
    distance: Field = np.sqrt(long * long + across * across)
    ragged = value_noise(rng, u, v, radius * 0.7, radius * 0.7) * np.float32(radius * 0.2)
    inside: Field = (np.float32(radius) - distance + np.clip(ragged, -0.4 * radius, 0.4 * radius)).astype(np.float32)
    return inside


def _oil(rng: Rng, u: Field, v: Field) -> Damage:
    """Return a brownish, see-through drop with a darker rim and a highlight."""
    radius = rng.uniform(7.0, 17.0)
    inside = _blot(rng, u, v, bare_point(rng, 14.0), radius)
    body = np.clip(inside / np.float32(2.5), 0, 1)
    rim = np.clip(1 - np.abs(inside - np.float32(2.5)) / np.float32(2.5), 0, 1)
    opacity = np.float32(rng.uniform(0.22, 0.42)) * body + np.float32(rng.uniform(0.08, 0.2)) * rim
    drop = np.float32(rng.uniform(0.5, 1.5)) * np.clip(inside / np.float32(radius), 0, 1)
    return Damage(relief=drop, films=[Film(np.clip(opacity, 0, 1), (72.0, 56.0, 34.0))])


def _residue(rng: Rng, u: Field, v: Field) -> Damage:
    """Return a patchy, dull or whitish film of dried coolant."""
    radius = rng.uniform(9.0, 21.0)
    inside = _blot(rng, u, v, bare_point(rng, 14.0), radius)
    patches = np.clip(np.float32(0.75) + np.float32(0.35) * value_noise(rng, u, v, 3.5, 3.5), 0.25, 1)
    opacity = np.float32(rng.uniform(0.3, 0.55)) * np.clip(inside / np.float32(4.0), 0, 1) * patches
    colour: Colour = rng.choose(((216.0, 214.0, 204.0), (112.0, 96.0, 74.0), (196.0, 192.0, 172.0)))
    return Damage(films=[Film(np.clip(opacity, 0, 1), colour)])


def _chips(rng: Rng, u: Field, v: Field) -> Damage:
    """Return a loose cluster of swarf slivers and dirt grains, dark or bright, each with some relief."""
    centre, spread = bare_point(rng, 14.0), rng.uniform(6.0, 18.0)
    dark, bright, relief = np.zeros_like(u), np.zeros_like(u), np.zeros_like(u)
    for _ in range(rng.whole(4, 12)):
        start = (centre[0] + rng.uniform(-spread, spread), centre[1] + rng.uniform(-spread, spread))
        cosine, sine = direction(rng.uniform(0.0, 360.0))
        length = rng.uniform(0.5, 6.0)
        end = (start[0] + length * cosine, start[1] + length * sine)
        grain = bell(segment(u, v, start, end), rng.uniform(1.6, 3.2))
        relief += grain * np.float32(0.6)
        target = rng.choose((dark, dark, bright))
        np.maximum(target, grain * np.float32(rng.uniform(0.5, 0.9)), out=target)
    return Damage(
        relief=relief,
        films=[Film(np.clip(dark, 0, 1), (46.0, 40.0, 36.0)), Film(np.clip(bright, 0, 1), (226.0, 224.0, 216.0))],
    )


def deformation(rng: Rng, u: Field, v: Field) -> Damage:
    """Return a dent in the surface, an edge pushed in, or a bolt hole out of round."""
    draw: Callable[[Rng, Field, Field], Damage] = rng.choose(
        (_dent, _dent, _dent, _pressed_edge, _pressed_edge, _oval_hole)
    )
    return draw(rng, u, v)


def _dent(rng: Rng, u: Field, v: Field) -> Damage:
    """Return a shallow bowl with a slightly raised rim, as a dropped tool leaves it."""
    radius = rng.uniform(9.0, 22.0)
    centre = bare_point(rng, 15.0)
    du = (u - np.float32(centre[0])) * np.float32(rng.uniform(0.75, 1.2))
    dv = v - np.float32(centre[1])
    distance: Field = np.sqrt(du * du + dv * dv)
    depth = radius * rng.uniform(0.17, 0.32)
    relief = np.float32(depth * 0.35) * bell(distance, radius * 1.25) - np.float32(depth * 1.35) * bell(
        distance, radius
    )
    return Damage(relief=relief)


def _pressed_edge(rng: Rng, u: Field, v: Field) -> Damage:
    """Return an outline pushed in over a short length, with the metal raised beside it."""
    where = rng.uniform(-0.7, 0.7)
    side = rng.whole(0, 3)
    sign = -1.0 if side % 2 else 1.0
    point = (where * HALF_WIDTH, sign * HALF_HEIGHT) if side > 1 else (sign * HALF_WIDTH, where * HALF_HEIGHT)
    width = rng.uniform(12.0, 26.0)
    distance = segment(u, v, point, point)
    push = np.float32(rng.uniform(3.2, 7.5)) * bell(distance, width)
    return Damage(edge=push, relief=np.float32(rng.uniform(0.8, 2.0)) * bell(distance, width * 1.1))


def _oval_hole(rng: Rng, u: Field, v: Field) -> Damage:
    """Return a bolt hole torn out of round, with the pushed metal heaped up at its longer end."""
    number = rng.whole(0, len(BOLT_HOLES) - 1)
    longer, shorter = rng.uniform(0.6, 0.72), rng.uniform(0.98, 1.12)
    upright = rng.whole(0, 1) == 0
    along_u, along_v = (shorter, longer) if upright else (longer, shorter)
    centre_u, centre_v, radius = BOLT_HOLES[number]
    inwards = (radius / longer + 7.0) * (-1.0 if (centre_v if upright else centre_u) > 0 else 1.0)
    heap = (centre_u, centre_v + inwards) if upright else (centre_u + inwards, centre_v)
    lift = np.float32(rng.uniform(2.0, 3.5)) * bell(segment(u, v, heap, heap), 12.0)
    return Damage(stretch=(number, along_u, along_v), relief=lift)


_DRAW: dict[str, Callable[[Rng, Field, Field], Damage]] = {
    "scratch": scratch,
    "contamination": contamination,
    "deformation": deformation,
}
DEFECT_CLASSES: tuple[str, ...] = tuple(_DRAW)


def damage(defect: str, rng: Rng, u: Field, v: Field) -> Damage:
    """Return what ``defect`` changes on the plate.

    Raises:
        ValueError: when there is no such class.
    """
    if defect not in _DRAW:
        raise ValueError(f"no defect class {defect!r}: one of {', '.join(DEFECT_CLASSES)}")
    return _DRAW[defect](rng, u, v)
