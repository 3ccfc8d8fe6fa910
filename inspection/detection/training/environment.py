"""The environment of the training subprocess: offline, and confined to its own folder."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from inspection.detection.training.fonts import find_font
from models.storage import make_folder, not_written, write_atomically

FONT_NAMES = ("Arial.ttf", "Arial.Unicode.ttf")
"""Fonts that ultralytics downloads unless they are in its folder."""
# The library migrates settings of older schema versions.
_SETTINGS = {
    "settings_version": "0.0.8",
    "sync": False,
    "clearml": False,
    "comet": False,
    "dvc": False,
    "mlflow": False,
    "raytune": False,
    "tensorboard": False,
    "wandb": False,
    "vscode_msg": False,
    "openvino_msg": False,
}


def quiet_environment(folder: Path, threads: int | None = None) -> dict[str, str]:
    """Prepare ``folder`` and return the environment variables for a process that uses ultralytics.

    They prevent downloads of fonts and weights, installation of packages and telemetry; checkpoints are loaded with
    plain values and known layers only, never executing code in them.

    Args:
        folder: for the library's settings, fonts and caches; created when missing.
        threads: number of CPU threads; None leaves it to the libraries.

    Raises:
        Unavailable: ``file-not-written`` or ``file-disk-full``.
    """
    folder = folder.resolve()
    home = folder / "Ultralytics"
    make_folder(home)
    write_atomically(home / "settings.json", json.dumps(_SETTINGS, indent=2).encode())
    font = find_font()
    for name in FONT_NAMES:
        if not (home / name).exists():
            try:
                shutil.copyfile(font, home / name)
            except OSError as error:
                raise not_written(home / name, error) from error
    environment = dict(os.environ)
    environment |= {
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "YOLO_CONFIG_DIR": str(folder),
        "ULTRALYTICS_SAFE_LOAD": "true",
        "MPLBACKEND": "agg",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONPATH": os.pathsep.join(entry for entry in (_product(), os.environ.get("PYTHONPATH")) if entry),
    }
    if threads:
        environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    return environment


def _product() -> str:
    """Return the folder the product's packages are imported from."""
    return str(Path(__file__).resolve().parents[3])
