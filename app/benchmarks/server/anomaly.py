"""The anomaly API beside a plain route of FastAPI that scores the same model with torch, in the same run.

One process serves, another one asks; both share the processor. The figures that are known of that first script are 1.2
ms a score, 3 to 5 ms of latency, a model of 120 KB and 50 MB.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

import numpy as np

from app.benchmarks.figures import Figure, at_least, at_most, judged_figure
from app.benchmarks.probing import processor_seconds, resident_megabytes
from app.benchmarks.server.driving import load, peer_route, post, served, signed_in
from inspection.sensor import SensorModel, SensorTraining, save_model, train_files
from models.ids import new_id
from models.states import Role
from server.anomaly.schemas import SensorModelForm
from server.anomaly.service import keep_model
from server.anomaly.uploads import read_model
from server.auth.identity.principal import Principal
from server.context import ServerContext

VALUES, ROWS, BATCH = 32, 2_000, 1_000
CONNECTIONS, RATE = 16, 1_000.0
SECONDS, ROUNDS = 5.0, 3
_WHO = Principal(None, "benchmark", Role.ADMIN, None)
_PEER = "app.benchmarks.server.torch_route"
_PEERS = {"peer": "FastAPI with torch in a function", "peer_async": "FastAPI with torch in a coroutine"}
_Found = dict[str, list[Mapping[str, float]]]


def measure(data: Path, *, seconds: float = SECONDS, rounds: int = ROUNDS) -> list[Figure]:
    """Return rates and latencies of single scores and batches, their ratio to the peer, sizes and memory.

    Args:
        data: not used.
        seconds: of one load.
        rounds: everything once a round, one after the other; medians count.

    Raises:
        Unavailable: when the server does not start, or torch is missing.
    """
    del data
    found: _Found = {name: [] for name in ("peer", "peer_async", "loopback", "key", "steady", "batch")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, values = _trained(folder)
        size = (folder / "model.npz").stat().st_size
        with served(folder / "empty") as (_, process_id):
            empty = resident_megabytes(process_id)
        with (
            peer_route(_PEER, folder / "port", str(folder)) as (peer, peer_id),
            served(folder, lambda context: _keep(context, folder)) as (url, process_id),
        ):
            at_start = resident_megabytes(process_id)
            body = {"values": values[0].tolist()}
            batch = post("/anomaly/batch", {"rows": values[:BATCH].tolist()})
            single, keyed = post("/anomaly", body), _with_key(post("/anomaly", body), url)
            on_loop = post("/anomaly-async", body)
            for _ in range(rounds):
                found["peer"].append(_flat_out(peer, peer_id, single, seconds))
                found["peer_async"].append(_flat_out(peer, peer_id, on_loop, seconds))
                found["loopback"].append(_flat_out(url, process_id, single, seconds))
                found["key"].append(_flat_out(url, process_id, keyed, seconds))
                found["steady"].append(load(url, [keyed], CONNECTIONS, seconds, RATE))
                found["batch"].append(load(url, [batch], 1, seconds))
            after = resident_megabytes(process_id)
    return [*_figures(found), *_sizes(model, size, empty, at_start, after)]


def _flat_out(url: str, process_id: int, request: str, seconds: float) -> Mapping[str, float]:
    """Return what came back, and the processor time of a request in the process that answers, ``processor_us``."""
    before = processor_seconds(process_id)
    came = load(url, [request], CONNECTIONS, seconds)
    taken = processor_seconds(process_id) - before
    return {**came, "processor_us": 1e6 * taken / (came["per_s"] * seconds)}


def _trained(folder: Path) -> tuple[SensorModel, np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """Train on made-up rows of related values, and write what server and peer load."""
    rng = np.random.default_rng(0)
    related = rng.normal(size=(ROWS, 8)) @ rng.normal(size=(8, VALUES))
    values = np.round(50 + related + rng.normal(scale=0.1, size=related.shape), 4)
    table = folder / "data.csv"
    np.savetxt(table, values, delimiter=",", fmt="%.4f")
    made = train_files(table, folder / "model.pth", SensorTraining(epochs=20))
    model = made.trained.model
    save_model(folder / "model.npz", model)
    scaling = {
        "mean": model.scaling.center.tolist(),
        "scale": model.scaling.scale.tolist(),
        "threshold": model.metadata.threshold,
    }
    (folder / "scaling.json").write_text(json.dumps(scaling), encoding="utf-8")
    return model, values


def _keep(context: ServerContext, folder: Path) -> None:
    with (folder / "model.npz").open("rb") as file:
        keep_model(context, _WHO, SensorModelForm(name="benchmark"), read_model(file, "model.npz"))


def _with_key(request: str, url: str) -> str:
    with signed_in(url) as client:
        made = client.post("/api-keys", json={"name": f"PLC {new_id()}", "role": "integrator"}).raise_for_status()
    return request.replace("\r\n", f"\r\nX-API-Key: {made.json()['key']}\r\n", 1)


def _figures(found: _Found) -> Iterator[Figure]:
    peers = {name: median(one["per_s"] for one in found[name]) for name in _PEERS}
    processor = {name: median(one["processor_us"] for one in found[name]) for name in (*_PEERS, "key", "loopback")}
    for name, what in _PEERS.items():
        yield Figure(
            name=f"anomaly_{name}_per_s",
            value=peers[name],
            unit="1/s",
            what=f"the peer: {what}, {VALUES} values, {CONNECTIONS} connections; no authentication, no log",
            note=_spread(found[name], "per_s"),
        )
    for name, who in (("key", "with an API key"), ("loopback", "from loopback without a credential")):
        rate = median(one["per_s"] for one in found[name])
        what = f"POST /anomaly {who}, {VALUES} values, {CONNECTIONS} connections, one process"
        note = _spread(found[name], "per_s")
        valid = not _refused(found[name])
        yield judged_figure(f"anomaly_{name}_per_s", rate, what, at_least(4_000), unit="1/s", valid=valid, note=note)
        for other, what in _PEERS.items():
            yield judged_figure(
                name=f"anomaly_{name}_of_{other}",
                value=rate / peers[other],
                what=f"POST /anomaly {who}: requests for each of the peer, {what}",
                goal=at_least(2),
            )
            yield Figure(
                name=f"anomaly_{name}_processor_of_{other}",
                value=processor[other] / processor[name],
                what=f"processor time of a request to the peer, {what}, for that of POST /anomaly {who}",
            )
    for name, taken in processor.items():
        yield Figure(
            name=f"anomaly_{name}_processor_us",
            value=taken,
            unit="µs",
            what=f"processor time of a request in its server, {name}; what else the machine does hardly changes it",
            note=_spread(found[name], "processor_us"),
        )
    p50 = median(one["p50_ms"] for one in found["steady"])
    yield judged_figure(
        name="anomaly_steady_p50_ms",
        value=p50,
        unit="ms",
        what=f"POST /anomaly with an API key, {RATE:.0f} requests a second whether answered or not, median",
        goal=at_most(3),
        valid=not _refused(found["steady"]),
        note=_spread(found["steady"], "p50_ms"),
    )
    yield Figure(
        name="anomaly_steady_p99_ms",
        value=median(one["p99_ms"] for one in found["steady"]),
        unit="ms",
        what="the same, 99th percentile",
        note=_spread(found["steady"], "p99_ms"),
    )
    rows = BATCH * median(one["per_s"] for one in found["batch"])
    yield judged_figure(
        name="anomaly_batch_rows_per_s",
        value=rows,
        unit="1/s",
        what=f"rows a second in batches of {BATCH} rows of {VALUES} values, one connection",
        goal=at_least(100_000),
        valid=not _refused(found["batch"]),
        note=f"batches a second: {_spread(found['batch'], 'per_s')}",
    )


def _sizes(model: SensorModel, size: int, empty: float, at_start: float, after: float) -> Iterator[Figure]:
    yield judged_figure(
        name="anomaly_model_kb",
        value=size / 1024,
        unit="KB",
        what=f"model.npz of {VALUES} values, layers {'-'.join(map(str, model.network.sizes))}",
        goal=at_most(120),
    )
    yield judged_figure(
        name="anomaly_memory_empty_mb",
        value=empty,
        unit="MB",
        what="memory of a server without a model, after its start",
        goal=at_most(120),
    )
    yield Figure(
        name="anomaly_memory_mb",
        value=at_start,
        unit="MB",
        what="memory of the server with a sensor model, after its start",
        note=f"{after:.0f} MB after the load",
    )


def _spread(found: list[Mapping[str, float]], name: str) -> str:
    values = [one[name] for one in found]
    return f"{min(values):.4g} to {max(values):.4g} over {len(values)} rounds; {_refused(found):.0f} refused"


def _refused(found: list[Mapping[str, float]]) -> float:
    return sum(one["refused"] for one in found)
