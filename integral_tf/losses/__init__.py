"""Losses of the paper and of DSNT, serialisable under the package's name."""

from integral_tf.losses.binary import BinaryCrossEntropy
from integral_tf.losses.divergence import GaussianDivergence
from integral_tf.losses.divergence import VarianceError
from integral_tf.losses.empty import EmptyCrossEntropy
from integral_tf.losses.empty import EmptySquaredError
from integral_tf.losses.heatmap import GaussianCrossEntropy
from integral_tf.losses.heatmap import GaussianSquaredError
from integral_tf.losses.heatmap import OneHotCrossEntropy
from integral_tf.losses.joint import JointL1
from integral_tf.losses.joint import JointL2
from integral_tf.losses.likelihood import MapLikelihood
from integral_tf.losses.sampling import SamplingArgmax
from integral_tf.losses.similarity import JointOKS

__all__ = [
    "BinaryCrossEntropy",
    "EmptyCrossEntropy",
    "EmptySquaredError",
    "GaussianCrossEntropy",
    "GaussianDivergence",
    "GaussianSquaredError",
    "JointL1",
    "JointL2",
    "JointOKS",
    "MapLikelihood",
    "OneHotCrossEntropy",
    "SamplingArgmax",
    "VarianceError",
]
