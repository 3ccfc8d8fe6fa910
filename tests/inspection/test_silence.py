import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import inspection
from inspection.anomaly import TrainingReport

ROOM = Path(inspection.__file__).parent
# What OpenVINO's telemetry looks at to keep quiet where it might be seen.
HIDERS = ("CI", "PYTEST_CURRENT_TEST", "PYTEST_VERSION", "TF_BUILD", "JENKINS_URL", "GITHUB_ACTIONS")

WATCH = """
import sys
seen = []
def watch(event, arguments):
    if event.startswith("socket.") or event in ("os.fork", "subprocess.Popen", "os.posix_spawn"):
        seen.append((event, str(arguments)[:80]))
sys.addaudithook(watch)
"""


def test_training_and_inspection_talk_to_nobody(report: TrainingReport, good_paths: list[Path], tmp_path: Path) -> None:
    program = (
        f"{WATCH}"
        "from pathlib import Path\n"
        "import inspection.anomaly.training as training\n"
        "from inspection.anomaly import load_bundle\n"
        "from inspection.pipeline import Runner, default_definition\n"
        "from inspection.images import read_image\n"
        "good = [Path(name) for name in sys.argv[3:]]\n"
        "training.train_images(good, Path(sys.argv[2]), training.TrainingSettings(bank_size=100, folds=2))\n"
        "Runner(default_definition(), {'default': load_bundle(Path(sys.argv[1]))}).run(read_image(good[0]))\n"
        "import openvino.tools.ovc.telemetry_utils as used\n"
        "print(used.tm.__name__, seen)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in HIDERS}
    arguments = [sys.executable, "-c", program, str(report.path), str(tmp_path / "m.model"), *map(str, good_paths[:5])]
    finished = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "openvino.tools.ovc.telemetry_stub []"


@pytest.mark.parametrize(("package", "home"), [("cv2", "opencv.py"), ("openvino", "openvino_runtime.py")])
def test_packages_with_side_effects_are_imported_in_one_place(package: str, home: str) -> None:
    importing = set()
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            if any(name.split(".")[0] == package for name in names):
                importing.add(path.name)
    assert importing == {home}


def test_sources_and_pipelines_are_imported_without_the_runtime() -> None:
    program = (
        "import sys\nimport inspection.pipeline, inspection.sources, inspection.anomaly\n"
        "print([name for name in ('openvino', 'torch') if name in sys.modules])"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"
