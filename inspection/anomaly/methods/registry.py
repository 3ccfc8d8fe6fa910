"""What a method of anomaly detection must offer, and the methods there are.

A new method is a module of its own and one line in ``_METHODS``; training, export, bundle and runtime know no method by
name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from inspection.runtime.arrays import FloatArray
from models.errors import InvalidInput

DEFAULT_METHOD = "patchcore"


@dataclass(frozen=True, slots=True)
class MethodSettings:
    """What a method may be told.

    Attributes:
        bank_size: most patches a memory bank holds.
        seed: of every choice by chance.
    """

    bank_size: int
    seed: int


class PatchSource(Protocol):
    """The patch features of the training images, by index."""

    def samples(self, index: int) -> FloatArray:
        """Return patches of an image in any order, perhaps not all, float32 ``(n, D)``."""
        ...

    def grid(self, index: int) -> FloatArray:
        """Return all patches of an image in their places, float32 ``(h, w, D)``."""
        ...


class FittedModel(Protocol):
    """A fitted model: what comes after the patch features."""

    def map(self, features: FloatArray, shape: tuple[int, int]) -> FloatArray:
        """Return the anomaly map of an image, float32 ``shape``, from its features ``(h·w, D)``."""
        ...

    def graph(self, features: Any) -> Any:
        """Return the ``openvino.Model`` from ``image`` to ``map`` that computes the same behind ``features``."""
        ...

    def metrics(self) -> dict[str, float]:
        """Return what people want to know about its size."""
        ...


class Method(Protocol):
    """A way to learn what good parts look like.

    Attributes:
        name: written to the model file as its kind.
        aligned: whether it compares place by place and so takes images of one size only.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - an attribute

    @property
    def aligned(self) -> bool: ...  # noqa: D102 - an attribute

    def fit(self, source: PatchSource, indices: Sequence[int], check: Callable[[], None]) -> FittedModel:
        """Fit on the images ``indices``; ``check`` is called now and then, and what it raises ends the fit."""
        ...


# Name → module and class; loaded when used.
_METHODS = {
    "patchcore": ("inspection.anomaly.methods.patchcore_method", "PatchCoreMethod"),
    "padim": ("inspection.anomaly.methods.padim_method", "PadimMethod"),
}


def require_method(name: str) -> None:
    """Check that there is a method ``name``.

    Raises:
        InvalidInput: ``anomaly-method-unknown``.
    """
    if name not in _METHODS:
        raise InvalidInput("anomaly-method-unknown", name=name, known=", ".join(_METHODS))


def find_method(name: str, settings: MethodSettings) -> Method:
    """Return the method ``name``.

    Raises:
        InvalidInput: ``anomaly-method-unknown``.
    """
    require_method(name)
    module, kind = _METHODS[name]
    made: Method = getattr(import_module(module), kind)(settings)
    return made
