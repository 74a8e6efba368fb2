"""Integral regression: a joint as the expectation of its heat map.

Implements Section 5 of Sun et al., "Integral Human Pose Regression"
(https://arxiv.org/abs/1711.08229):

    Eq. (5)  softmax over the whole map   spatial_softmax
    Eq. (6)  expectation over the grid    expected_coordinates
    Eq. (7)  the two composed, I(.)       integrate
    -        without the empty pixels     compensate

Eq. (4) has no function of its own: Eq. (6) is its sum on the pixel grid.

Departs from the paper in two ways: the grid counts from 0, where Eq. (6)
counts from 1, so that a pixel keeps the index it has everywhere else
(`coordinates`); and a factor `beta`, 1 in the paper, may sharpen the softmax.

Shape letters: B batch, H height, W width, K joints, N pixels of a map, D
spatial dimensions. Maps may have any D: (W,), (H, W) or (depth, H, W); points
are in reverse, (x, y, z), as everywhere.
"""

import math

from integral_tf import coordinates
from integral_tf.generation import ops

# Below this share of a map above its background, `compensate` has nothing to
# divide by that float32 would keep.
_LEAST = 0.01


def flatten_maps(heatmaps, data_format="channels_last"):
    """Lays each joint's map out along the last, contiguous axis, in float32.

    Args:
        heatmaps: `(B, H, W, K)`, or `(B, K, H, W)` for `channels_first`; any
            number of spatial dimensions.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        `(B, K, N)` float32 and the spatial shape, e.g. `(H, W)`.

    Raises:
        ValueError: another `data_format`, or no spatial dimension.
    """
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            "`data_format` says where the joints are: channels_last for "
            "(batch, height, width, joints) or channels_first for (batch, "
            f"joints, height, width). Received: data_format={data_format!r}"
        )
    shape = ops.shape(heatmaps)
    if len(shape) < 3:
        raise ValueError(
            "Heat maps are (batch, height, width, joints), or have another "
            f"number of spatial axes. Received: shape={tuple(shape)}"
        )
    # float16 steps by 1/32 pixel near x = 63: coordinates need float32.
    heatmaps = ops.cast(heatmaps, "float32")
    if data_format == "channels_last":
        spatial, joints = shape[1:-1], shape[-1]
        # Reduced along a contiguous axis, the softmax is several times faster.
        flat = ops.reshape(heatmaps, (-1, product(spatial), joints))
        return ops.transpose(flat, (0, 2, 1)), spatial
    spatial, joints = shape[2:], shape[1]
    return ops.reshape(heatmaps, (-1, joints, product(spatial))), spatial


def spatial_softmax(scores, beta=1.0):
    """Normalises each joint's map over its whole domain. Eq. (5).

    Args:
        scores: `(B, K, N)` unnormalised scores, from `flatten_maps`.
        beta: Factor on the scores.

    Returns:
        `(B, K, N)` float32 probabilities; each joint's map sums to 1.
    """
    return ops.softmax(scaled(scores, beta), axis=-1)


def expected_coordinates(probabilities, spatial):
    """Averages pixel positions, weighted by their probabilities. Eq. (6).

    Args:
        probabilities: `(B, K, N)`, each joint's map summing to 1.
        spatial: Spatial shape of the maps, e.g. `(H, W)`, with product N.

    Returns:
        `(B, K, D)` points `(x, y)` in the heat-map frame.
    """
    joints = ops.shape(probabilities)[1]
    maps = ops.reshape(probabilities, (-1, joints, *spatial))
    axes = range(2, 2 + len(spatial))
    points = []
    for axis in reversed(axes):
        # Summing out the other axes first costs H + W products, not H * W.
        # Not a matrix product: TF32 and bfloat16 would round the coordinates.
        others = tuple(other for other in axes if other != axis)
        marginal = ops.sum(maps, axis=others) if others else maps
        grid = ops.cast(ops.arange(spatial[axis - 2]), "float32")
        points.append(ops.sum(ops.multiply(marginal, grid), axis=-1))
    return ops.stack(points, axis=-1)


def integrate(heatmaps, beta=1.0, data_format="channels_last"):
    """Turns scores into points: J_k = I(H_k). Eq. (7).

    Args:
        heatmaps: `(B, H, W, K)` unnormalised scores, of any float type.
        beta: Factor on the scores before the softmax.
        data_format: Where the joints' axis is.

    Returns:
        `(B, K, D)` float32 points `(x, y)` in the heat-map frame.
    """
    scores, spatial = flatten_maps(heatmaps, data_format)
    return expectation(scaled(scores, beta), spatial)


def expectation(scores, spatial):
    """`integrate` on scores that are flat and scaled already.

    Args:
        scores: `(B, K, N)`.
        spatial: Spatial shape of the maps.

    Returns:
        `(B, K, D)` float32 points in the heat-map frame.
    """

    # The gradient is written out because automatic differentiation passes over
    # the maps six times, and this twice. Not for forward mode, nor, on torch,
    # for second derivatives: its `custom_gradient` records nothing in here.
    @ops.custom_gradient
    def run(scores):
        probabilities = spatial_softmax(scores)
        points = expected_coordinates(probabilities, spatial)

        def gradient(*args, upstream=None):
            # TensorFlow and JAX pass it as the only argument, torch by name.
            upstream = args[0] if upstream is None else upstream
            # dJ/dH(p) = H~(p) (p - J), for H~ the softmax of H.
            pull = sum(
                ops.multiply(_per_map(upstream[..., i], spatial), apart)
                for i, apart in enumerate(offsets(points, spatial))
            )
            pull = ops.reshape(pull, ops.shape(probabilities))
            return ops.multiply(probabilities, pull)

        return points, gradient

    return run(scores)


def compensate(points, scores, spatial, background):
    """Takes out of an expectation what the map's empty pixels add to it.

    Where most of a map is empty, its N pixels of score `background` still have
    a share r of the softmax, and draw the joint towards the centre c. Without
    them it is at

        J' = (J - r c) / (1 - r),  r = N exp(background - log sum exp(scores)),

    which is exact for a map that is `background` but for a peak. After Gu et
    al., "Removing the Bias of Integral Pose Regression" (ICCV 2021). ours: r is
    computed from logarithms, so that no score overflows; where it is above
    0.99 the joint stays, and everywhere it stays within the map.

    Args:
        points: `(B, K, D)`, from `integrate` with the same scores.
        scores: `(B, K, N)`, already times beta.
        spatial: Spatial shape of the maps.
        background: Score of an empty pixel, already times beta.

    Returns:
        `(B, K, D)` float32 points in the heat-map frame.
    """
    pixels = ops.cast(product(spatial), "float32")
    share = ops.log(pixels) + background - ops.logsumexp(scores, axis=-1)
    # Cut before the exponential: its gradient must be finite, too.
    share = ops.exp(ops.minimum(share, 0.0))
    share = ops.where(1.0 - share < _LEAST, 0.0, share)
    moved = []
    for i, length in enumerate(reversed(spatial)):
        last = ops.cast(length - 1, "float32")
        middle = share * coordinates.centre(ops.cast(length, "float32"))
        at = (points[..., i] - middle) / (1.0 - share)
        moved.append(ops.minimum(ops.maximum(at, 0.0), last))
    return ops.stack(moved, axis=-1)


def offsets(points, spatial):
    """Distance of every pixel from each joint, axis by axis.

    Args:
        points: `(B, K, D)` in the heat-map frame.
        spatial: Spatial shape of the maps.

    Returns:
        List of D tensors that broadcast to `(B, K, H, W)`: along x
        `(B, K, 1, W)`, along y `(B, K, H, 1)`, ...
    """
    apart = []
    for i, length in enumerate(reversed(spatial)):
        grid = ops.cast(ops.arange(length), "float32")
        grid = ops.reshape(grid, (-1, *[1] * i))  # (W,), (H, 1), ...
        apart.append(ops.subtract(grid, _per_map(points[..., i], spatial)))
    return apart


def covariance(probabilities, points, spatial):
    """Second moments of each map around its expectation.

    Args:
        probabilities: `(B, K, N)`.
        points: `(B, K, D)`, from `expected_coordinates`.
        spatial: Spatial shape of the maps.

    Returns:
        `(B, K, D, D)` in square heat-map pixels, in the order (x, y).
    """
    apart = offsets(points, spatial)
    rows = [
        ops.stack([_mean(a * b, probabilities, spatial) for b in apart], -1)
        for a in apart
    ]
    return ops.stack(rows, axis=-2)


def confidence(probabilities, points, spatial, radius=1.0):
    """How much of a map agrees with the joint read from it, in (0, 1].

    The expectation of exp(-|p - J|^2 / (2 radius^2)): 1 for a single pixel,
    and small for a flat map or one with two modes, whose expectation lies
    where there is little mass.

    ours: the paper names no score for an integral joint.

    Args:
        probabilities: `(B, K, N)`.
        points: `(B, K, D)`, from `expected_coordinates`.
        spatial: Spatial shape of the maps.
        radius: Distance that still agrees, in heat-map pixels.

    Returns:
        `(B, K)`.
    """
    square = sum(ops.square(apart) for apart in offsets(points, spatial))
    near = ops.exp(ops.multiply(square, -0.5 / radius**2))
    return _mean(near, probabilities, spatial)


def _mean(values, probabilities, spatial):
    """Averages what `offsets` gave, weighted by the maps: `(B, K)`."""
    joints = ops.shape(probabilities)[1]
    maps = ops.reshape(probabilities, (-1, joints, *spatial))
    axes = tuple(range(2, 2 + len(spatial)))
    return ops.sum(ops.multiply(maps, values), axis=axes)


def scaled(scores, beta):
    """Scores times beta; NumPy's float64 must not make them so."""
    return ops.multiply(scores, ops.cast(beta, "float32"))


def _per_map(values, spatial):
    """`(B, K)` as `(B, K, 1, 1)`, to meet the maps."""
    return values[(..., *[None] * len(spatial))]


def product(lengths):
    """How many pixels a map of this spatial shape has."""
    if all(isinstance(length, int) for length in lengths):
        return math.prod(lengths)
    total = 1
    for length in lengths:
        total = total * length
    return total
