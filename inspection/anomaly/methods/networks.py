"""The network parts as OpenVINO graphs, built operation by operation from arrays.

Building the graph here, instead of converting a traced torch model, leaves out the converter (and its telemetry), and
gives the same file for the same weights every time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.methods.patchcore import BLUR
from inspection.runtime.openvino_import import openvino as ov
from inspection.runtime.openvino_import import ops

FloatArray = NDArray[np.float32]
# An output of an OpenVINO node; the package ships no types.
Node = Any
LEVELS = ("stride16", "stride32", "stride32-late")
"""Outputs of a backbone graph that patch features come from, the one whose grid counts first."""


@dataclass(frozen=True, slots=True)
class Block:
    """One mobile inverted bottleneck: depthwise kernel size, stride, whether it widens first and adds its input."""

    kernel: int
    stride: int
    expands: bool
    adds_input: bool


def constant(values: NDArray[Any]) -> Node:
    """Return a constant node."""
    return ops.constant(values)


def fold_batch_norm(
    weight: FloatArray, gamma: FloatArray, beta: FloatArray, mean: FloatArray, variance: FloatArray, epsilon: float
) -> tuple[FloatArray, FloatArray]:
    """Fold a batch normalisation into the convolution before it.

    Args:
        weight: ``(out, in, k, k)``.
        gamma: scale ``(out,)``.
        beta: shift ``(out,)``.
        mean: running mean ``(out,)``.
        variance: running variance ``(out,)``.
        epsilon: of the normalisation.

    Returns:
        weight and bias of the one convolution that does both (Jacob et al. 2018, section 3.2).
    """
    factor = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    folded = weight.astype(np.float64) * factor[:, None, None, None]
    bias = beta.astype(np.float64) - mean.astype(np.float64) * factor
    return folded.astype(np.float32), bias.astype(np.float32)


def _convolution(
    node: Node, weight: FloatArray, bias: FloatArray, *, stride: int, depthwise: bool, bounded: bool
) -> Node:
    kernel = weight.shape[2]
    # "Same" padding of TensorFlow for sides that are multiples of the stride: the odd pixel goes right and below.
    total = kernel - stride if stride > 1 else kernel - 1
    begin, end = total // 2, total - total // 2
    arguments = {
        "strides": [stride, stride],
        "pads_begin": [begin, begin],
        "pads_end": [end, end],
        "dilations": [1, 1],
    }
    if depthwise:
        output = ops.group_convolution(node, constant(weight[:, None]), **arguments)
    else:
        output = ops.convolution(node, constant(weight), **arguments)
    output = ops.add(output, constant(bias.reshape(1, -1, 1, 1)))
    return ops.clamp(output, 0.0, 6.0) if bounded else output


def efficientnet_lite(
    weights: Mapping[str, FloatArray], blocks: list[Block], taps: Mapping[int, str], epsilon: float
) -> Any:
    """Build the feature graph of an EfficientNet-Lite (Tan and Le 2019; Lite: no squeeze and excitation, ReLU6).

    Args:
        weights: arrays by the names of ``efficientnet_lite_pytorch``'s ``state_dict``.
        blocks: every block in order; those after the last tap are left out of the graph.
        taps: index of a block → name of the output taken after it.
        epsilon: of the batch normalisations.

    Returns:
        ``openvino.Model``: input ``image`` float32 ``(1, 3, H, W)``, RGB, ``(x - 127) / 128``, ``H`` and ``W`` any
        multiples of 32; one float32 output ``(1, C, H/stride, W/stride)`` a tap.
    """

    def folded(convolution: str, norm: str) -> tuple[FloatArray, FloatArray]:
        return fold_batch_norm(
            weights[f"{convolution}.weight"],
            weights[f"{norm}.weight"],
            weights[f"{norm}.bias"],
            weights[f"{norm}.running_mean"],
            weights[f"{norm}.running_var"],
            epsilon,
        )

    image = ops.parameter(ov.PartialShape([1, 3, -1, -1]), ov.Type.f32, name="image")
    image.output(0).set_names({"image"})
    stem_weight, stem_bias = folded("_conv_stem", "_bn0")
    node = _convolution(image, stem_weight, stem_bias, stride=2, depthwise=False, bounded=True)
    outputs = []
    for index, block in enumerate(blocks[: max(taps) + 1]):
        name = f"_blocks.{index}"
        entered = node
        if block.expands:
            weight, bias = folded(f"{name}._expand_conv", f"{name}._bn0")
            node = _convolution(node, weight, bias, stride=1, depthwise=False, bounded=True)
        weight, bias = folded(f"{name}._depthwise_conv", f"{name}._bn1")
        node = _convolution(node, weight, bias, stride=block.stride, depthwise=True, bounded=True)
        weight, bias = folded(f"{name}._project_conv", f"{name}._bn2")
        node = _convolution(node, weight, bias, stride=1, depthwise=False, bounded=False)
        if block.adds_input:
            node = ops.add(node, entered)
        if index in taps:
            result = ops.result(node)
            result.output(0).set_names({taps[index]})
            outputs.append(result)
    model = ov.Model(outputs, [image], "efficientnet_lite_features")
    name_nodes(model)
    return model


def name_nodes(model: Any) -> None:
    """Give every node a name by its place, so that the serialised graph does not depend on what was built before."""
    for position, node in enumerate(model.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name().lower()}_{position}")


def _pooled(node: Node) -> Node:
    return ops.avg_pool(node, [1, 1], [1, 1], [1, 1], [3, 3], exclude_pad=False)


def _doubled(node: Node) -> Node:
    return ops.interpolate(
        node,
        constant(np.array([2.0, 2.0], np.float32)),
        "linear",
        "scales",
        coordinate_transformation_mode="half_pixel",
        axes=constant(np.array([2, 3], np.int64)),
    )


def with_patch_features(backbone: Any) -> Any:
    """Put one feature vector a patch behind a backbone graph.

    The levels are brought to the grid of stride 16 and concatenated (Roth et al. 2022, section 3.1, with later levels:
    the early ones take every stripe of a ground surface for strange). The later two are averaged over 3×3 first (zeros
    outside); the first, which small defects show in, is taken as it is.

    Args:
        backbone: graph with the outputs ``LEVELS``.

    Returns:
        ``openvino.Model``: ``image`` as before, ``features`` float32 ``(1, D, H/16, W/16)``.
    """
    first, *later = (backbone.output(name).get_node().input_value(0) for name in LEVELS)
    result = ops.result(ops.concat([first, *(_doubled(_pooled(level)) for level in later)], axis=1))
    result.output(0).set_names({"features"})
    model = ov.Model([result], backbone.get_parameters(), "patch_features")
    name_nodes(model)
    return model


def anomaly_graph(
    features: Any, projection: FloatArray, offset: FloatArray, bank: FloatArray, constants: FloatArray
) -> Any:
    """Put projection, nearest-neighbour search and the light blur behind a graph of patch features.

    Args:
        features: graph of ``with_patch_features``.
        projection: float32 ``(D, K)``.
        offset: float32 ``(K,)``.
        bank: float32 ``(N, K)``, projected.
        constants: float32 ``(N,)``, ``|b|²`` and what else is added for each patch of the bank.

    Returns:
        ``openvino.Model``: ``image`` as before, ``map`` float32 ``(1, 1, H/16, W/16)``: distance to the bank, averaged
        with weights 1-2-1 both ways.
    """
    projected = projected_patches(features, projection, offset)
    # |a - b|² = |a|² + (|b|² - 2 a·b); the minimum over b needs the bracket only.
    products = ops.matmul(projected, constant(np.ascontiguousarray(-2.0 * bank.T)), False, False)
    one = constant(np.array([1], np.int64))
    nearest = ops.reduce_min(ops.add(products, constant(constants[None])), one, keep_dims=True)
    own = ops.reduce_sum(ops.multiply(projected, projected), one, keep_dims=True)
    return map_graph(features, ops.sqrt(ops.relu(ops.add(nearest, own))), "patchcore")


def projected_patches(features: Any, projection: FloatArray, offset: FloatArray) -> Node:
    """Return the node ``(H/16 · W/16, K)`` of the projected patches behind a graph of ``with_patch_features``.

    Args:
        features: the graph.
        projection: float32 ``(D, K)``.
        offset: float32 ``(K,)``.
    """
    node = features.output("features").get_node().input_value(0)
    patches = ops.transpose(
        ops.reshape(node, constant(np.array([projection.shape[0], -1], np.int64)), special_zero=False),
        constant(np.array([1, 0], np.int64)),
    )
    return ops.add(ops.matmul(patches, constant(projection), False, False), constant(offset[None]))


def map_graph(features: Any, distance: Node, name: str) -> Any:
    """Return the graph from ``image`` to ``map``: one distance a patch, laid out as the grid and lightly blurred.

    Args:
        features: graph of ``with_patch_features``.
        distance: node behind it, ``(H/16 · W/16, 1)``.
        name: of the new graph.
    """
    grid = ops.shape_of(features.output("features").get_node().input_value(0), "i64")
    rows_and_columns = ops.gather(grid, constant(np.array([2, 3], np.int64)), constant(np.array(0, np.int64)))
    shape = ops.concat([constant(np.array([1, 1], np.int64)), rows_and_columns], axis=0)
    values = ops.reshape(distance, shape, special_zero=False)
    sides = constant(np.array([0, 0, 1, 1], np.int64))
    padded = ops.pad(values, sides, sides, "edge")
    kernel = np.outer(BLUR, BLUR).astype(np.float32)[None, None]
    smooth = ops.convolution(padded, constant(kernel), [1, 1], [0, 0], [0, 0], [1, 1])
    result = ops.result(smooth)
    result.output(0).set_names({"map"})
    model = ov.Model([result], features.get_parameters(), name)
    name_nodes(model)
    return model
