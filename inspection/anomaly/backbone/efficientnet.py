"""EfficientNet-Lite as an OpenVINO graph, built operation by operation from arrays.

Building the graph here instead of converting a traced torch model needs no converter (and none of its telemetry), and
gives the same file for the same weights every time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inspection.runtime.arrays import FloatArray
from inspection.runtime.graphs import Node, constant, name_nodes
from inspection.runtime.openvino_import import openvino as ov
from inspection.runtime.openvino_import import ops


@dataclass(frozen=True, slots=True)
class Block:
    """A mobile inverted bottleneck: depthwise kernel size, stride, whether it has an expansion and a residual."""

    kernel: int
    stride: int
    expands: bool
    adds_input: bool


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
        weight and bias of the folded convolution (Jacob et al. 2018, section 3.2).
    """
    factor = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    folded = weight.astype(np.float64) * factor[:, None, None, None]
    bias = beta.astype(np.float64) - mean.astype(np.float64) * factor
    return folded.astype(np.float32), bias.astype(np.float32)


def _convolution(
    node: Node, weight: FloatArray, bias: FloatArray, *, stride: int, depthwise: bool, bounded: bool
) -> Node:
    kernel = weight.shape[2]
    # TensorFlow's "same" padding for sides that are multiples of the stride: the odd pixel goes right and below.
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
        weights: arrays by their name in the ``state_dict`` of ``efficientnet_lite_pytorch``.
        blocks: all blocks in order; those after the last tap are omitted from the graph.
        taps: index of a block → name of the graph output after it.
        epsilon: of the batch normalisations.

    Returns:
        ``openvino.Model``: input ``image`` float32 ``(1, 3, H, W)``, RGB, ``(x - 127) / 128``, ``H`` and ``W`` any
        multiples of 32; one float32 output ``(1, C, H/stride, W/stride)`` per tap.
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
