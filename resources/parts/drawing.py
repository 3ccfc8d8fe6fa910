"""One sample part: a machined plate on its fixture, as a colour camera sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resources.parts import codes, texture
from resources.parts.defects import Damage, damage
from resources.parts.geometry import (
    BOLT_HOLES,
    BORE,
    BORE_CHAMFER,
    CORNER,
    COUNTERSINK,
    EDGE_CHAMFER,
    HALF_HEIGHT,
    HALF_WIDTH,
    SLOT,
    Pose,
    circle,
    rounded_box,
)
from resources.parts.light import Light, expose, soften
from resources.parts.mark import engraving
from resources.parts.opencv import cv2
from resources.parts.rng import Field, Rng

IMAGE_SIZE = 320
GOOD = "good"

_METAL = (1.0, 0.992, 0.972)  # a slightly warm grey
_PLASTIC = (0.92, 0.99, 1.08)  # a slightly blue dark grey
_VISIBLE = 4.0  # grey levels by which a defect must change a pixel to count as part of it
_POSE, _LIGHT, _FIXTURE, _SURFACE, _SOIL, _LENS, _SENSOR, _DEFECT = range(8)


@dataclass(frozen=True, slots=True)
class Part:
    """A drawn part.

    Attributes:
        image: ``IMAGE_SIZE`` x ``IMAGE_SIZE`` x 3, uint8, RGB.
        mask: ``IMAGE_SIZE`` x ``IMAGE_SIZE``, bool, True on the defect; all False on a good part.
        label: ``"good"`` or the defect class.
        name: file name without its ending.
        serial_number: unique for the index and the seed.
        lot: the part's lot.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    label: str
    name: str
    serial_number: str
    lot: str


def draw_part(index: int, *, seed: int = 0, defect: str | None = None) -> Part:
    """Draw one part; the same index and seed give the same pixels everywhere.

    With a ``defect`` the part is the very same plate in the same pose, light and noise, and the defect on it.

    Args:
        index: number of the part, 0 or more.
        seed: number of the series, 0 or more.
        defect: one of ``DEFECT_CLASSES``, or None for a good part.

    Raises:
        ValueError: when the index or the seed is negative or there is no such defect class.
    """
    if index < 0 or seed < 0:
        raise ValueError(f"index and seed count from 0, not {index} and {seed}")
    u, v = Pose.drawn(Rng(seed, index, _POSE)).plate_frame(IMAGE_SIZE)
    picture = _picture(index, seed, u, v, Damage())
    mask = np.zeros(picture.shape[:2], dtype=bool)
    if defect is not None:
        damaged = _picture(index, seed, u, v, damage(defect, Rng(seed, index, _DEFECT), u, v))
        mask = _changed(picture, damaged)
        picture = damaged
    return Part(
        image=expose(picture, Rng(seed, index, _SENSOR)),
        mask=mask,
        label=defect or GOOD,
        name=f"part_{index:06d}",
        serial_number=codes.serial_number(index, seed),
        lot=codes.lot(index),
    )


def _changed(before: Field, after: Field) -> NDArray[np.bool_]:
    """Return where a defect is visible, its small gaps closed."""
    change = np.abs(after - before).max(axis=2) >= np.float32(_VISIBLE)
    closed = cv2.morphologyEx(
        change.astype(np.uint8), cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    )
    return np.asarray(closed, dtype=bool)


def _picture(index: int, seed: int, u: Field, v: Field, harm: Damage) -> Field:
    """Return the scene behind the lens, before the sensor: H x W x 3, float32, RGB, grey levels."""
    light = Light.drawn(Rng(seed, index, _LIGHT))
    solid, height = _shape(u, v, harm)
    cut = engraving(u, v)
    height = height - np.float32(0.8) * cut
    if harm.relief is not None:
        height = height + harm.relief
    metal = _metal(index, seed, u, v, cut, harm)
    metal = metal * (1 + np.float32(0.55) * light.relief(height))
    ground = _ground(index, seed, u, v, solid, light)
    covered = np.clip(np.float32(0.5) - solid, 0, 1)
    falloff = light.falloff(IMAGE_SIZE)
    blur = Rng(seed, index, _LENS).uniform(0.35, 1.0)
    channels = []
    for number, factor in enumerate(light.colour()):
        surface = metal * np.float32(_METAL[number])
        for film in harm.films:
            surface = surface + (np.float32(film.colour[number]) - surface) * film.opacity
        below = ground * np.float32(_PLASTIC[number])
        scene = (below + (surface - below) * covered) * falloff * np.float32(factor)
        channels.append(soften(scene, blur))
    return np.stack(channels, axis=2)


def _shape(u: Field, v: Field, harm: Damage) -> tuple[Field, Field]:
    """Return the signed distance to the metal (negative on it) and its height with chamfers, both in pixels."""
    outline = rounded_box(u, v, HALF_WIDTH, HALF_HEIGHT, CORNER)
    if harm.edge is not None:
        outline = outline + harm.edge
    slot_u, slot_v, half_width, half_length = SLOT
    slot = rounded_box(u - np.float32(slot_u), v - np.float32(slot_v), half_width, half_length, half_width)
    rims = [(outline, EDGE_CHAMFER), (-circle(u, v, *BORE), BORE_CHAMFER), (-slot, 2.5)]
    for number, (hole_u, hole_v, radius) in enumerate(BOLT_HOLES):
        along_u, along_v = 1.0, 1.0
        if harm.stretch is not None and harm.stretch[0] == number:
            along_u, along_v = harm.stretch[1:]
        du, dv = (u - np.float32(hole_u)) * np.float32(along_u), (v - np.float32(hole_v)) * np.float32(along_v)
        rims.append((-circle(du, dv, 0.0, 0.0, radius), COUNTERSINK))
    solid, height = rims[0][0], np.zeros_like(u)
    for distance, chamfer in rims:
        solid = np.maximum(solid, distance)
        height = np.minimum(height, np.clip(-distance, -2, chamfer) - np.float32(chamfer))
    return solid, height


def _metal(index: int, seed: int, u: Field, v: Field, cut: Field, harm: Damage) -> Field:
    """Return the brightness of the flat surface in grey levels."""
    surface, soil = Rng(seed, index, _SURFACE), Rng(seed, index, _SOIL)
    metal = np.float32(surface.uniform(140.0, 156.0)) + texture.milled_surface(surface, u, v)
    metal = metal + texture.sheen(surface, u, v) + np.float32(1.8) * surface.noise(*u.shape)
    metal = metal + texture.harmless_stains(soil, u, v) + texture.dust(soil, u, v)
    metal = metal - np.float32(52.0) * cut
    if harm.shade is not None:
        metal = metal + harm.shade
    return metal


def _ground(index: int, seed: int, u: Field, v: Field, solid: Field, light: Light) -> Field:
    """Return the brightness of the fixture in grey levels, darker in the plate's shadow and in its holes."""
    ground = texture.fixture(Rng(seed, index, _FIXTURE), u, v)
    away_u, away_v = (np.float32(-9.0 * part) for part in light.towards)
    shadow = rounded_box(u - away_u, v - away_v, HALF_WIDTH, HALF_HEIGHT, CORNER)
    shade = np.clip(np.float32(0.5) - shadow / np.float32(16.0), 0, 1)
    wall = np.clip(1 - np.abs(solid - np.float32(2.0)) / np.float32(2.5), 0, 1)
    inside = np.clip(-rounded_box(u, v, HALF_WIDTH, HALF_HEIGHT, CORNER) - 8, 0, 1)
    shaded: Field = ground * (1 - np.float32(0.5) * shade) + np.float32(22.0) * wall * inside
    return shaded
