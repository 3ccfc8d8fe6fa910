"""``model.pth``: the network as a torch ``state_dict``; torch runs in a subprocess.

The keys are those of ``torch.nn.Sequential(Linear, ReLU, Linear, ReLU, …, Linear)``: ``0.weight``, ``0.bias``,
``2.weight`` and so on, so that two lines of plain torch continue the training. Read are also those of a module of two
such sequences, ``encoder.0.weight`` … ``decoder.2.bias``. It is loaded with ``weights_only=True``.
Run as ``python -m inspection.sensor.model_file.checkpoint write|read``; arrays pass through stdin and stdout, never as
pickle.
"""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspection.runtime.subprocesses import module_command
from inspection.sensor.model.network import Network
from inspection.sensor.model_file.archive import read_bounded
from models.errors import InvalidInput, Unavailable
from models.storage import write_atomically

_TIMEOUT_S = 120.0
_DAMAGED = 3
_HALVES = ("encoder.", "decoder.")
_State = dict[str, NDArray[np.float32]]
_ARCHIVE = b"PK"
"""First bytes of every file of ``torch.save``."""


def torch_is_installed() -> bool:
    """Return whether torch is installed, without importing it."""
    return importlib.util.find_spec("torch") is not None


def require_torch() -> None:
    """Check in advance that checkpoints can be written and read.

    Raises:
        Unavailable: ``sensor-torch-missing``.
    """
    if not torch_is_installed():
        raise Unavailable("sensor-torch-missing")


def write_checkpoint(path: Path, network: Network) -> None:
    """Write ``network`` as a ``state_dict``.

    Raises:
        Unavailable: ``sensor-torch-missing``, ``sensor-checkpoint-failed``, ``file-disk-full``, ``file-not-written``.
    """
    require_torch()
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **_state(network))
    finished = _run_subprocess("write", buffer.getvalue())
    if finished.returncode != 0:
        raise _failed(path, finished.stderr)
    write_atomically(path, finished.stdout)


def read_checkpoint(path: Path) -> Network:
    """Read a ``state_dict`` of Linear layers, from this product or from further training with torch.

    Raises:
        InvalidInput: ``sensor-model-missing``, ``model-not-readable``, ``sensor-checkpoint-damaged``.
        Unavailable: ``sensor-torch-missing``, ``sensor-checkpoint-failed``.
    """
    return read_networks(path)[0]


def read_networks(path: Path) -> tuple[Network, ...]:
    """Read a ``state_dict`` of Linear layers and return the networks that it can be of.

    A ReLU has no weights: whether there is one between encoder and decoder is not in the file. The first network has
    one; the second has none, which makes the two layers there one.

    Raises:
        InvalidInput: ``sensor-model-missing``, ``model-not-readable``, ``sensor-checkpoint-damaged``.
        Unavailable: ``sensor-torch-missing``, ``sensor-checkpoint-failed``.
    """
    require_torch()
    data = read_bounded(path, "sensor-checkpoint-damaged")
    if not data.startswith(_ARCHIVE):
        raise InvalidInput("sensor-checkpoint-damaged", name=path.name)
    finished = _run_subprocess("read", data)
    if finished.returncode == _DAMAGED:
        raise InvalidInput("sensor-checkpoint-damaged", name=path.name)
    if finished.returncode != 0:
        raise _failed(path, finished.stderr)
    with np.load(io.BytesIO(finished.stdout), allow_pickle=False) as loaded:
        state = {name: np.array(loaded[name], np.float32) for name in loaded.files}
    halves = _halves(state)
    network = _network(state if halves is None else _joined(*halves))
    if network is None:
        raise InvalidInput("sensor-checkpoint-damaged", name=path.name)
    return (network,) if halves is None else (network, _merged(network, len(halves[0]) // 2 - 1))


def _state(network: Network) -> dict[str, NDArray[np.float32]]:
    state = {}
    for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        state[f"{2 * layer}.weight"] = np.ascontiguousarray(weight.T)
        state[f"{2 * layer}.bias"] = bias
    return state


def _halves(state: _State) -> tuple[_State, _State] | None:
    """Return the ``state_dict`` of encoder and decoder; None for one that is not of two halves."""
    halves = tuple(
        {name.removeprefix(half): value for name, value in state.items() if name.startswith(half)} for half in _HALVES
    )
    encoder, decoder = halves
    return (encoder, decoder) if encoder and decoder and len(encoder) + len(decoder) == len(state) else None


def _joined(encoder: _State, decoder: _State) -> _State:
    """Return the ``state_dict`` of both halves as one sequence; empty where a name is not of such a sequence."""
    shift = len(encoder)
    moved = {}
    for name, value in decoder.items():
        place, _, part = name.partition(".")
        if not place.isdecimal():
            return {}
        moved[f"{int(place) + shift}.{part}"] = value
    return {**encoder, **moved}


def _merged(network: Network, layer: int) -> Network:
    """Return the network without the ReLU after a layer: that layer and the next one become one."""
    weights, biases = list(network.weights), list(network.biases)
    first, second = slice(layer, layer + 2), layer + 1
    weight = np.ascontiguousarray(weights[layer] @ weights[second])
    bias = biases[layer] @ weights[second] + biases[second]
    weights[first], biases[first] = [weight], [bias]
    return Network(tuple(weights), tuple(biases))


def _network(state: dict[str, NDArray[np.float32]]) -> Network | None:
    """Return the network of a ``state_dict``, or None unless it consists of Linear layers of matching sizes."""
    layers = len(state) // 2
    names = {f"{2 * layer}.{part}" for layer in range(layers) for part in ("weight", "bias")}
    if not layers or names != set(state):
        return None
    weights = tuple(np.ascontiguousarray(state[f"{2 * layer}.weight"].T) for layer in range(layers))
    biases = tuple(state[f"{2 * layer}.bias"] for layer in range(layers))
    if any(weight.ndim != 2 or bias.shape != weight.shape[1:] for weight, bias in zip(weights, biases, strict=True)):  # noqa: PLR2004
        return None
    if any(first.shape[1] != second.shape[0] for first, second in pairwise(weights)):
        return None
    return Network(weights, biases) if all(np.isfinite(array).all() for array in (*weights, *biases)) else None


def _run_subprocess(task: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - our own module, arguments as a list
            module_command("inspection.sensor.model_file.checkpoint", task),
            input=data,
            check=False,
            capture_output=True,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable("sensor-checkpoint-failed", name=task, reason=f"no answer in {_TIMEOUT_S:.0f} s") from error


def _failed(path: Path, stderr: bytes) -> Unavailable:
    last = stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
    return Unavailable("sensor-checkpoint-failed", name=path.name, reason=last[0])


def _write(data: bytes) -> bytes:
    import torch

    with np.load(io.BytesIO(data), allow_pickle=False) as loaded:
        state = {name: torch.from_numpy(loaded[name]) for name in loaded.files}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _read(data: bytes) -> bytes | None:
    import pickle
    import zipfile

    import torch

    try:
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError, ValueError, KeyError):
        return None
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        return None
    buffer = io.BytesIO()
    arrays = {str(name): value.detach().float().numpy() for name, value in state.items()}
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _main(task: str) -> int:
    data = sys.stdin.buffer.read()
    made = _write(data) if task == "write" else _read(data)
    if made is None:
        return _DAMAGED
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
