"""`inference.oks_nms` as TensorFlow operations, for one image's people."""

import tensorflow as tf

from integral_tf import skeletons


def oks_nms(joints, scores, areas, skeleton, threshold):
    """Keeps the people who are not too similar to a surer kept one.

    Args:
        joints: `(N, K, 2)` float32 points in the image.
        scores: `(N,)`; of equal ones the last goes first.
        areas: `(N,)` of the people's crops in square pixels.
        skeleton: The `skeletons.Skeleton`, whose sigmas count.
        threshold: OKS above which two are one person.

    Returns:
        `(M,)` int32 indices of those kept, the surest first.
    """
    sigmas = skeleton.sigmas or [skeletons.DEFAULT_SIGMA] * len(skeleton)
    apart = joints[:, None] - joints[None]
    distance2 = tf.reduce_sum(apart * apart, axis=-1)  # (N, N, K)
    area = (areas[:, None] + areas[None]) / 2
    variances = tf.constant([2 * (2 * sigma) ** 2 for sigma in sigmas])
    similar = tf.exp(-distance2 / (variances * area[..., None]))
    # TensorFlow takes the first of equal scores first.
    kept = tf.image.non_max_suppression_overlaps(
        tf.reverse(tf.reduce_mean(similar, axis=-1), [0, 1]),
        tf.reverse(scores, [0]),
        max_output_size=tf.shape(scores)[0],
        overlap_threshold=threshold,
    )
    return tf.shape(scores)[0] - 1 - kept
