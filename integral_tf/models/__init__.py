"""Networks: a backbone, a head, and a layer that reads joints from the maps."""

from typing import TYPE_CHECKING

from integral_tf import lazy

if TYPE_CHECKING:
    from integral_tf.models.freezing import body
    from integral_tf.models.freezing import freeze
    from integral_tf.models.methods import fingerprint
    from integral_tf.models.methods import pose_model
    from integral_tf.models.pytorch_checkpoint import from_pytorch

__all__ = ["body", "fingerprint", "freeze", "from_pytorch", "pose_model"]

# `archive` and other files here need no Keras.
__getattr__ = lazy.attributes(
    __name__,
    {
        "body": "integral_tf.models.freezing",
        "freeze": "integral_tf.models.freezing",
        "from_pytorch": "integral_tf.models.pytorch_checkpoint",
        "fingerprint": "integral_tf.models.methods",
        # Its name before 0.2.
        "network": "integral_tf.models.methods",
        "pose_model": "integral_tf.models.methods",
    },
)
