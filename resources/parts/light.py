"""Light, lens and sensor: from relief and brightness to the bytes of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resources.parts.geometry import direction
from resources.parts.rng import Field, Rng


@dataclass(frozen=True, slots=True)
class Light:
    """How a part is lit.

    Attributes:
        towards: unit vector to the lamp in the image (x right, y down).
        gain: exposure factor.
        slope: brightness lost across the image along ``towards``, as a fraction.
        temperature: above 0 warmer (more red), below 0 colder.
        contrast: how strongly slopes of the surface show.
    """

    towards: tuple[float, float]
    gain: float
    slope: float
    temperature: float
    contrast: float

    @staticmethod
    def drawn(rng: Rng) -> Light:
        """Return a light within what a lamp on a stand gives over a day."""
        return Light(
            direction(rng.uniform(200.0, 250.0)),
            rng.uniform(0.86, 1.12),
            rng.uniform(-0.05, 0.16),
            rng.uniform(-0.05, 0.05),
            rng.uniform(0.75, 1.0),
        )

    def relief(self, height: Field) -> Field:
        """Return the relative brightness (about -1..1) of the slopes of a height field in pixels."""
        lit = -(slope_x(height) * np.float32(self.towards[0]) + slope_y(height) * np.float32(self.towards[1]))
        bounded = lit / (1 + np.float32(0.6) * np.abs(lit))
        shown: Field = (np.float32(self.contrast) * bounded).astype(np.float32)
        return shown

    def falloff(self, size: int) -> Field:
        """Return the factor by which the lamp's distance and the lens's vignette scale each pixel."""
        axis = (np.arange(size, dtype=np.float32) * 2 - np.float32(size - 1)) / np.float32(size)
        x, y = axis[None, :], axis[:, None]
        gradient = (x * np.float32(self.towards[0]) + y * np.float32(self.towards[1])) * np.float32(self.slope)
        vignette = (x * x + y * y) * np.float32(0.05)
        return np.float32(self.gain) * (1 + gradient - vignette)

    def colour(self) -> tuple[float, float, float]:
        """Return the factors of red, green and blue."""
        return 1 + self.temperature, 1.0, 1 - self.temperature


def slope_x(height: Field) -> Field:
    """Return the central difference along x; 0 at the border."""
    slope = np.zeros_like(height)
    slope[:, 1:-1] = (height[:, 2:] - height[:, :-2]) * np.float32(0.5)
    return slope


def slope_y(height: Field) -> Field:
    """Return the central difference along y; 0 at the border."""
    slope = np.zeros_like(height)
    slope[1:-1] = (height[2:] - height[:-2]) * np.float32(0.5)
    return slope


def soften(channel: Field, amount: float) -> Field:
    """Return the picture behind a lens: mixed with its 3 x 3 binomial blur (1 2 1) by ``amount`` (0..1)."""
    blurred = channel.copy()
    blurred[:, 1:-1] = (channel[:, :-2] + 2 * channel[:, 1:-1] + channel[:, 2:]) * np.float32(0.25)
    rows = blurred.copy()
    rows[1:-1] = (blurred[:-2] + 2 * blurred[1:-1] + blurred[2:]) * np.float32(0.25)
    return channel + (rows - channel) * np.float32(amount)


def expose(picture: Field, rng: Rng) -> NDArray[np.uint8]:
    """Return the sensor's bytes: noise that grows with brightness, then rounding.

    Args:
        picture: H x W x 3, float32, RGB, grey levels.
        rng: source of the noise alone.
    """
    height, width, _ = picture.shape
    deviation = np.float32(rng.uniform(0.9, 2.0)) * (np.float32(0.6) + picture / np.float32(300.0))
    common = rng.noise(height, width)[:, :, None]
    own = rng.noise(height, width, 3)
    noisy = picture + deviation * (np.float32(0.8) * common + np.float32(0.5) * own)
    levels: NDArray[np.uint8] = np.clip(np.floor(noisy + np.float32(0.5)), 0, 255).astype(np.uint8)
    return levels
