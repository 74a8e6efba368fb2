"""`inference.oks_nms` as TensorFlow operations, for one image's people."""

import tensorflow as tf

from integral_tf import joint_numbers
from integral_tf import skeletons


def oks_nms(
    joints: tf.Tensor,
    scores: tf.Tensor,
    areas: tf.Tensor,
    skeleton: skeletons.Skeleton,
    threshold: float,
) -> tf.Tensor:
    """Keeps the people who are not too similar to a surer kept one.

    Args:
        joints: `(N, K, 2)` float32 points in image pixels.
        scores: `(N,)`; of equal scores the last is the surest.
        areas: `(N,)` areas of the people's crops in square pixels.
        skeleton: The `skeletons.Skeleton`, for the sigmas of OKS.
        threshold: OKS above which two poses are one person.

    Returns:
        `(M,)` int32 indices of the kept people, the surest first.
    """
    sigmas = joint_numbers.usual_sigmas(skeleton)
    difference = joints[:, None] - joints[None]
    distance2 = tf.reduce_sum(difference * difference, axis=-1)  # (N, N, K)
    area = (areas[:, None] + areas[None]) / 2
    variances = tf.constant([2 * (2 * sigma) ** 2 for sigma in sigmas])
    similar = tf.exp(-distance2 / (variances * area[..., None]))
    # Reversed, because TensorFlow takes the first of equal scores first.
    kept = tf.image.non_max_suppression_overlaps(
        tf.reverse(tf.reduce_mean(similar, axis=-1), [0, 1]),
        tf.reverse(scores, [0]),
        max_output_size=tf.shape(scores)[0],
        overlap_threshold=threshold,
    )
    return tf.shape(scores)[0] - 1 - kept
