"""Graphs behind a backbone: patch features, nearest-neighbour search, the anomaly map."""

from __future__ import annotations

from typing import Any

import numpy as np

from inspection.anomaly.methods.map_smoothing import KERNEL
from inspection.runtime.arrays import FloatArray
from inspection.runtime.graphs import Node, constant, name_nodes
from inspection.runtime.openvino_import import openvino as ov
from inspection.runtime.openvino_import import ops

LEVELS = ("stride16", "stride32", "stride32-late")
"""Backbone outputs that patch features are computed from; the first one defines the patch grid."""
_SEARCHED_AT_ONCE = 1000
"""Patches of the bank that are compared at a time; the matrix of all distances would be the largest of the graph."""


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
    """Append patch features to a backbone graph.

    The levels are resized to the grid of stride 16 and concatenated (Roth et al. 2022, section 3.1, with later levels:
    early ones score every stripe of a ground surface as anomalous). The later two are average-pooled over 3×3 first
    (zero-padded); the first, in which small defects are visible, is not.

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
    features: Any,
    projection: FloatArray,
    offset: FloatArray,
    bank: FloatArray,
    constants: FloatArray,
    *,
    smoothed: bool = True,
) -> Any:
    """Append projection, nearest-neighbour search and map smoothing to a graph of patch features.

    Args:
        features: graph of ``with_patch_features``.
        projection: float32 ``(D, K)``.
        offset: float32 ``(K,)``.
        bank: float32 ``(N, K)``, the projected memory bank.
        constants: float32 ``(N,)``, see ``PatchCore.constants``.
        smoothed: as ``map_graph``.

    Returns:
        ``openvino.Model``: ``image`` as before, ``map`` float32 ``(1, 1, H/16, W/16)``: distance to the memory bank.
    """
    projected = projected_patches(features, projection, offset)
    one = constant(np.array([1], np.int64))
    nearest = _nearest(projected, bank, constants, one)
    own = ops.reduce_sum(ops.multiply(projected, projected), one, keep_dims=True)
    return map_graph(features, ops.sqrt(ops.relu(ops.add(nearest, own))), "patchcore", smoothed=smoothed)


def _nearest(projected: Node, bank: FloatArray, constants: FloatArray, one: Node) -> Node:
    """Return the node ``(n, 1)`` of the least |a - b|² - |a|² = c_b - 2 a·b over the bank, searched in parts."""
    nearest = None
    for begin in range(0, len(bank), _SEARCHED_AT_ONCE):
        part = slice(begin, begin + _SEARCHED_AT_ONCE)
        products = ops.matmul(projected, constant(np.ascontiguousarray(-2.0 * bank[part].T)), False, False)
        found = ops.reduce_min(ops.add(products, constant(constants[None, part])), one, keep_dims=True)
        nearest = found if nearest is None else ops.minimum(nearest, found)
    return nearest


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


def map_graph(features: Any, distance: Node, name: str, *, smoothed: bool = True) -> Any:
    """Return the graph from ``image`` to ``map``: patch distances reshaped to the grid and smoothed.

    Args:
        features: graph of ``with_patch_features``.
        distance: node of its patch distances, ``(H/16 · W/16, 1)``.
        name: of the new graph.
        smoothed: with 1-2-1 along both axes; not for graphs of tiles, whose maps are smoothed when they are joined.
    """
    grid = ops.shape_of(features.output("features").get_node().input_value(0), "i64")
    rows_and_columns = ops.gather(grid, constant(np.array([2, 3], np.int64)), constant(np.array(0, np.int64)))
    shape = ops.concat([constant(np.array([1, 1], np.int64)), rows_and_columns], axis=0)
    values = ops.reshape(distance, shape, special_zero=False)
    result = ops.result(_smooth(values) if smoothed else values)
    result.output(0).set_names({"map"})
    model = ov.Model([result], features.get_parameters(), name)
    name_nodes(model)
    return model


def _smooth(values: Node) -> Node:
    sides = constant(np.array([0, 0, 1, 1], np.int64))
    padded = ops.pad(values, sides, sides, "edge")
    kernel = np.outer(KERNEL, KERNEL).astype(np.float32)[None, None]
    return ops.convolution(padded, constant(kernel), [1, 1], [0, 0], [0, 0], [1, 1])
