"""Where the training library may work: a process of its own that knows no network and keeps to its own folder."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from inspection.detection.training.fonts import find_font
from models.storage import make_folder, not_written, write_atomically

FONT_NAMES = ("Arial.ttf", "Arial.Unicode.ttf")
"""What ultralytics looks for in its folder before it fetches them."""
# The schema does not matter: values that fit the library's present one are taken over.
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

    In it nothing is fetched, reported or installed: no font, no weights, no missing package, no usage event; a
    checkpoint is read with its plain values and known layers alone, never with code it brings along.

    Args:
        folder: for the library's settings, fonts and caches; made if it is not there.
        threads: processor threads; None leaves it to the libraries.

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
    """Return the folder the product's packages are imported from, whatever folder the process is started in."""
    return str(Path(__file__).resolve().parents[3])
