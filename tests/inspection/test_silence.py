import ast
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inspection.anomaly import Backbone
from inspection.imaging.files import encode_png
from tests.support.messages import says
from tests.support.offline import Offline, is_attempt
from tests.support.parsed_source import parsed

IMAGEFLOW = [sys.executable, "-c", "from app.command_line import main; main()"]
TIME_LIMIT_S = 240.0


def imageflow(offline: Offline, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = offline.command([*IMAGEFLOW, *map(str, arguments)])
    return subprocess.run(
        command, env=offline.environment(), capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False
    )


@pytest.mark.slow
def test_an_anomaly_model_is_made_or_used_without_trying_to_reach_a_network(
    backbone: Backbone, parts: Path, good_paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline = Offline(tmp_path / "watch")
    monkeypatch.chdir(tmp_path)
    # Named from where the program is started: what is worked on in a process of its own is found all the same.
    good, model = Path("good"), Path("m.model")
    good.mkdir()
    for path in good_paths[:5]:
        shutil.copy(path, good)
    scratch = parts / "test" / "scratch"
    done = imageflow(offline, "train", "images", "--good", good, "--out", model, "--bank-size", 100, "--folds", 2)
    assert done.returncode == 0, done.stderr
    # Quantised it may score otherwise, and is then refused; what matters here is that it was tried.
    small = Path("small") / "small.model"
    done = imageflow(offline, "model", "export", model, "--out", small, "--precision", "int8", "--calibration", good)
    assert done.returncode == 0 or says(done.stderr, "model-export-parity"), done.stderr
    done = imageflow(offline, "inspect", "--model", model, "--json", scratch)
    assert done.returncode == 0, done.stderr
    report = Path("report.html")
    done = imageflow(offline, "evaluate", "--model", model, "--good", good, "--defect", scratch, "--out", report)
    assert done.returncode == 0, done.stderr
    assert offline.attempts() == []


@pytest.mark.slow
def test_a_backbone_is_converted_without_trying_a_network(tmp_path: Path) -> None:
    offline = Offline(tmp_path / "watch")
    done = imageflow(offline, "model", "backbone", "efficientnet-lite0", "--out", tmp_path / "backbones")
    assert done.returncode == 0, done.stderr
    assert offline.attempts() == []


@pytest.mark.slow
def test_a_detector_inspects_without_trying_a_network(data: Path, tmp_path: Path) -> None:
    offline = Offline(tmp_path / "watch")
    image = tmp_path / "part.png"
    image.write_bytes(encode_png(np.zeros((64, 64, 3), np.uint8)))
    model = data / "weights" / "yolo11n_int8_320.onnx"
    done = imageflow(offline, "inspect", "--model", model, "--json", "--out", tmp_path / "overlays", image)
    assert done.returncode == 0, done.stderr
    assert offline.attempts() == []


@pytest.mark.slow
def test_a_sensor_model_is_trained_without_trying_a_network(tmp_path: Path) -> None:
    offline = Offline(tmp_path / "watch")
    rows = np.random.default_rng(0).normal(0, 1, (300, 3))
    table = tmp_path / "rows.csv"
    table.write_text("a,b,c\n" + "".join(",".join(f"{value:.4f}" for value in row) + "\n" for row in rows))
    done = imageflow(offline, "train", "sensor", "--data", table, "--output", tmp_path / "model.pth")
    assert done.returncode == 0, done.stderr
    model = tmp_path / "model.npz"
    for using in (("score", model, table, "--out", tmp_path / "scores.csv"), ("drift", model, table)):
        done = imageflow(offline, "model", *using)
        assert done.returncode == 0, done.stderr
    assert offline.attempts() == []


def test_the_watch_sees_what_python_or_another_program_tries_to_reach(tmp_path: Path) -> None:
    offline = Offline(tmp_path / "watch")
    for program in (
        "import socket; socket.getaddrinfo('example.com', 80)",
        "import subprocess; subprocess.run(['bash', '-c', 'echo x > /dev/udp/192.0.2.1/53'])",
    ):
        before = len(offline.attempts())
        child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {program!r}])"
        subprocess.run(
            offline.command([sys.executable, "-c", child]), env=offline.environment(), capture_output=True, check=True
        )
        assert len(offline.attempts()) > before, program
    tried = "\n".join(offline.attempts())
    assert "socket.getaddrinfo ('example.com'" in tried
    assert 'inet_addr("192.0.2.1")' in tried


@pytest.mark.parametrize(
    ("line", "reaches"),
    [
        ('7 connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = -1', False),
        ("7 sendto(3, x, 20, 0, {sa_family=AF_NETLINK, nl_pid=0}, 12) = 20", False),
        ("7 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 4", False),
        ("7 socket(AF_PACKET, SOCK_RAW, 0) = 4", True),
        ('7 connect(4, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("1.2.3.4")}, 16 <unfinished', True),
        ("7 sendmsg(4, {msg_name={sa_family=AF_INET6, sin6_port=htons(80)}}, 0) = 1", True),
        ("7 +++ exited with 0 +++", False),
    ],
)
def test_a_line_of_the_trace_is_read_rightly(line: str, reaches: bool) -> None:
    assert is_attempt(line) is reaches


def test_the_package_through_which_openvino_reports_is_not_loaded() -> None:
    program = (
        "import inspection.runtime.openvino_import\n"
        "import openvino.tools.ovc.telemetry_utils as used\n"
        "print(used.tm.__name__)\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "openvino.tools.ovc.telemetry_stub"


@pytest.mark.parametrize(("package", "home"), [("cv2", "opencv.py"), ("openvino", "openvino_import.py")])
def test_packages_with_side_effects_are_imported_in_one_place(package: str, home: str) -> None:
    importing = set()
    for path, tree in parsed("inspection").items():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            if any(name.split(".")[0] == package for name in names):
                importing.add(path.name)
    assert importing == {home}


def test_importing_the_rooms_of_inspection_loads_no_runtime() -> None:
    program = (
        "import sys\nimport inspection.pipeline, inspection.sources, inspection.anomaly\n"
        "print([name for name in ('openvino', 'torch') if name in sys.modules])"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"
