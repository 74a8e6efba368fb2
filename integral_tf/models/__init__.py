"""Networks: a backbone, a head, and what reads joints from it."""

from integral_tf.models.freezing import body
from integral_tf.models.freezing import freeze
from integral_tf.models.methods import network
from integral_tf.models.methods import pose_model
from integral_tf.models.pytorch_checkpoint import from_pytorch

__all__ = ["body", "freeze", "from_pytorch", "network", "pose_model"]
