"""The state of online learning as bytes: arrays without pickle."""

from __future__ import annotations

import io
import math

import numpy as np

from inspection.sensor import OnlineState, StreamState

_STREAMS = ("stream", "frozen")


def encode_learning(state: OnlineState, newest: float) -> bytes:
    """Return the bytes of a state, with the time of the newest row."""
    features = len(state.day_center)
    waiting = [row for _, row in state.waiting]
    arrays = {
        "newest": np.array(newest),
        "times": np.array([at for at, _ in state.waiting], np.float64),
        "waiting": np.array(waiting) if waiting else np.empty((0, features)),
        "alarms": np.array(state.alarms, np.bool_),
        "counts": np.array([state.quarantine_left, state.learned]),
        "day_began": np.array(math.nan if state.day_began is None else state.day_began),
        "day_center": state.day_center,
        "batch": state.batch,
    }
    for name in _STREAMS:
        stream: StreamState = getattr(state, name)
        arrays[f"{name}_seen"] = np.array(stream.seen)
        arrays[f"{name}_window"] = stream.window
        arrays[f"{name}_mean"] = stream.mean
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def decode_learning(data: bytes) -> tuple[OnlineState, float]:
    """Return the state in the bytes of ``encode_learning``, and the time of the newest row."""
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        stream, frozen = (
            StreamState(int(found[f"{name}_seen"]), found[f"{name}_window"], found[f"{name}_mean"]) for name in _STREAMS
        )
        began = float(found["day_began"])
        quarantine_left, learned = found["counts"].tolist()
        state = OnlineState(
            stream=stream,
            frozen=frozen,
            waiting=tuple(zip(found["times"].tolist(), found["waiting"], strict=True)),
            alarms=tuple(found["alarms"].tolist()),
            quarantine_left=quarantine_left,
            day_began=None if math.isnan(began) else began,
            day_center=found["day_center"],
            batch=found["batch"],
            learned=learned,
        )
        return state, float(found["newest"])
