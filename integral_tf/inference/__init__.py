"""Pictures in, poses out: estimation, drawings, results."""

from integral_tf import former
from integral_tf.inference.oks_nms import oks_nms
from integral_tf.inference.oks_nms import soft_oks_nms
from integral_tf.inference.rescoring import rescore

__all__ = ["oks_nms", "rescore", "soft_oks_nms"]


__getattr__ = former.names(__name__)
