"""The training library's own ``predict``, asked again and again; a process of its own.

A line on stdin is a number of images; the answer on stdout is a line with the milliseconds of each, as
``[letterbox to suppression, the whole call]``. It runs in the environment of ``quiet_environment``.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path

from inspection.detection.training.process import own_stdout
from inspection.detection.training.ultralytics_predict import load
from inspection.imaging.files import read_image
from inspection.imaging.opencv import cv2

_WARM_UP = 5


def main(arguments: list[str]) -> int:
    """Serve: checkpoint, side of the input, threads, and a JSON file with the paths of the images."""
    checkpoint, side, threads, listing = arguments
    stream = own_stdout()
    importlib.import_module("torch").set_num_threads(int(threads))
    model = load(checkpoint)
    paths = json.loads(Path(listing).read_text(encoding="utf-8"))
    images = [cv2.cvtColor(read_image(Path(path)), cv2.COLOR_RGB2BGR) for path in paths]
    settings = {"imgsz": int(side), "device": "cpu", "verbose": False, "save": False}
    for image in images[:_WARM_UP]:
        model.predict(image, **settings)
    stream.write("ready\n")
    stream.flush()
    position = 0
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            image = images[position % len(images)]
            position += 1
            began = time.perf_counter()
            result = model.predict(image, **settings)[0]
            whole = (time.perf_counter() - began) * 1000
            times.append([sum(result.speed.values()), whole])
        stream.write(json.dumps(times) + "\n")
        stream.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
