"""A copy of the data set in the layout of the training library.

The library never works in the user's folder: it would write caches there, rewrite images in place, and run the
``download`` entry of a ``data.yaml``.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from inspection.detection.data.dataset import DetectionData
from inspection.imaging.files import encode_png, read_image
from models.storage import make_folder, not_written, write_atomically

_JPEG_BEGIN, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


def write_training_layout(data: DetectionData, folder: Path) -> Path:
    """Write the data set in the layout of the training library and return the path of its ``data.yaml``.

    Images are symbolic links where the system supports them, copies otherwise and where the library would rewrite the
    file; those that the library would see otherwise than the inspection are decoded and written as PNG. The folder is
    cleared first: the library would unpickle an existing cache.

    Raises:
        Unavailable: ``file-not-written`` or ``file-disk-full``.
        UnreadableImage: when an image was changed since it was read.
    """
    if os.path.lexists(folder):
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise not_written(folder, error) from error
    for part, files in (("train", data.train), ("val", data.val)):
        images, labels = folder / "images" / part, folder / "labels" / part
        make_folder(images)
        make_folder(labels)
        for number, file in enumerate(files):
            name = f"{number:06}"
            target = images / f"{name}{file.image.suffix.lower() if file.seen_alike else '.png'}"
            try:
                if file.seen_alike:
                    _link_or_copy(file.image.resolve(), target)
                else:
                    target.write_bytes(encode_png(read_image(file.image)))
                text = "".join(f"{box.as_line()}\n" for box in file.boxes)
                (labels / f"{name}.txt").write_text(text, encoding="utf-8")
            except OSError as error:
                raise not_written(target, error) from error
    lines = [f"path: {_yaml_string(str(folder.resolve()))}", "train: images/train", "val: images/val", "names:"]
    lines += [f"  {number}: {_yaml_string(name)}" for number, name in enumerate(data.names)]
    write_atomically(folder / "data.yaml", ("\n".join(lines) + "\n").encode())
    return folder / "data.yaml"


def _link_or_copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    if not _needs_repair(source):
        try:
            target.symlink_to(source)
        except (OSError, NotImplementedError):
            # Windows restricts symbolic links to privileged users.
            pass
        else:
            return
    shutil.copyfile(source, target)


def _needs_repair(source: Path) -> bool:
    """Return whether ultralytics would rewrite the file: a JPEG by content that lacks its end marker."""
    with source.open("rb") as file:
        if file.read(len(_JPEG_BEGIN)) != _JPEG_BEGIN:
            return False
        file.seek(-len(_JPEG_END), os.SEEK_END)
        return file.read() != _JPEG_END


def _yaml_string(text: str) -> str:
    """Return ``text`` as a YAML string."""
    return "'" + text.replace("'", "''") + "'"
