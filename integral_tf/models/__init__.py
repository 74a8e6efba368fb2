"""Networks: a backbone, a head, and what reads joints from it."""

from integral_tf.models.methods import pose_model

__all__ = ["pose_model"]
