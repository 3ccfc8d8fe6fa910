"""The sets of real images that the default configuration is measured on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.benchmarks.inspection.splits import Split, casting_split, folder_split, tile_split


@dataclass(frozen=True, slots=True)
class ImageSet:
    """One set of images.

    Attributes:
        name: in the figures.
        title: for people.
        split: its images, divided.
        masks: folder of the masks and the folder that names are relative to; None where pixels are not judged.
        auroc_goal: least image AUROC.
        pixel_goal: least pixel AUROC; None without a goal.
    """

    name: str
    title: str
    split: Split
    auroc_goal: float
    masks: tuple[Path, Path] | None = None
    pixel_goal: float | None = None


def image_sets(data: Path) -> list[ImageSet]:
    """Return all sets.

    The masks of the juice bottles cover every place where a missing thing could be, so their pixels are not judged.

    Args:
        data: folder with a folder for each set.

    Raises:
        NotFound: ``folder-missing`` when a set is not there.
    """
    tiles = data / "magnetic_tile"
    return [
        ImageSet("casting", "castings", casting_split(data), 0.985),
        ImageSet(
            "magnetic_tile",
            "magnetic tiles never seen before",
            tile_split(data),
            0.90,
            (tiles / "ground_truth", tiles / "defect"),
            0.80,
        ),
        ImageSet("plate", "metal plates", folder_split(data / "plate"), 0.99, _masks(data / "plate")),
        ImageSet("juice", "juice bottles", folder_split(data / "juice"), 0.95),
        ImageSet(
            "glassfiber", "glass-fibre plies", folder_split(data / "glassfiber"), 0.96, _masks(data / "glassfiber")
        ),
    ]


def _masks(folder: Path) -> tuple[Path, Path]:
    return folder / "ground_truth", folder / "test"
