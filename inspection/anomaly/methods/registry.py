"""The protocol of anomaly methods and their registry.

A new method is a module and one line in ``_METHODS``; training, export, bundle and runtime refer to no method by name.
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
    """The settings of a method.

    Attributes:
        bank_size: maximum number of patches in a memory bank.
        seed: of all random choices.
        whitening: see ``Configuration``.
    """

    bank_size: int
    seed: int
    whitening: float = 1.0


class PatchSource(Protocol):
    """The patch features of the training images, by index."""

    def samples(self, index: int) -> FloatArray:
        """Return patches of an image in any order, possibly a sample, float32 ``(n, D)``."""
        ...

    def grid(self, index: int) -> FloatArray:
        """Return all patches of an image on the patch grid, float32 ``(h, w, D)``."""
        ...


class FittedModel(Protocol):
    """A fitted model: the computation from patch features to the anomaly map."""

    def map(self, features: FloatArray, shape: tuple[int, int]) -> FloatArray:
        """Return the anomaly map of an image, float32 ``shape``, from its features ``(h·w, D)``."""
        ...

    def graph(self, features: Any, *, smoothed: bool = True) -> Any:
        """Return the ``openvino.Model`` from ``image`` to ``map`` that appends the same computation to ``features``.

        Args:
            features: graph of ``with_patch_features``.
            smoothed: whether the map is smoothed; not for graphs of tiles, whose maps are smoothed when joined.
        """
        ...

    def metrics(self) -> dict[str, float]:
        """Return size figures for the manifest, by name."""
        ...


class Method(Protocol):
    """An anomaly method.

    Attributes:
        name: written to the model file as its kind.
        aligned: whether it compares images position by position and so requires images of one size.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - an attribute

    @property
    def aligned(self) -> bool: ...  # noqa: D102 - an attribute

    def blank(self, dimensions: int, cells: int) -> FittedModel:
        """Return a model of the largest size that a fit gives, fitted on nothing, to measure how long one takes.

        Args:
            dimensions: of a patch's features.
            cells: of the patch grid.
        """
        ...

    def fit(self, source: PatchSource, indices: Sequence[int], check: Callable[[], None]) -> FittedModel:
        """Fit on the images ``indices``; ``check`` is called regularly, and an exception it raises aborts the fit."""
        ...


# Name → module and class, imported on use.
_METHODS = {
    "patchcore": ("inspection.anomaly.methods.patchcore_method", "PatchCoreMethod"),
    "padim": ("inspection.anomaly.methods.padim_method", "PadimMethod"),
}


def require_method(name: str) -> None:
    """Check that the method ``name`` exists.

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
