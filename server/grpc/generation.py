"""Generation of the Python stubs of ``resources/protos``: ``python -m server.grpc.generation``.

Only set-up runs it; it needs grpcio-tools, which a server does not.
"""

from __future__ import annotations

import re
import shutil
import sys
from importlib.resources import as_file, files
from pathlib import Path

_IMPORT = re.compile(r"^import (\w+_pb2) as ", re.MULTILINE)
_PACKAGE = '"""Generated from resources/protos by server.grpc.generation; not edited, not in the repository."""\n'


def generate(folder: Path) -> None:
    """Write the stubs of all protos into ``folder``, in place of what was there.

    Raises:
        RuntimeError: when the compiler refuses a proto.
    """
    import grpc_tools
    from grpc_tools import protoc

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    with as_file(files("resources") / "protos") as protos:
        names = sorted(path.name for path in protos.glob("*.proto"))
        outputs = [f"--{kind}_out={folder}" for kind in ("python", "pyi")]
        if protoc.main(["protoc", f"-I{protos}", f"-I{well_known}", *outputs, *names]) != 0:
            raise RuntimeError("the compiler of protos refused them")
    for path in folder.glob("*.py*"):
        # The compiler imports by the names of the protos, as if their folder were on the import path.
        path.write_text(_IMPORT.sub(r"from server.grpc.stubs import \1 as ", path.read_text("utf-8")), "utf-8")
    (folder / "__init__.py").write_text(_PACKAGE, "utf-8")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "stubs")
