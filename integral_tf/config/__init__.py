"""Settings of a run and of the commands: frozen dataclasses.

Every field becomes a flag of the same name (`flagfiles`). A preset states only
the flags that differ from the defaults.
"""

from integral_tf import former
from integral_tf.config.evaluate import EvaluateConfig
from integral_tf.config.export import ExportConfig
from integral_tf.config.model import HEATMAP_METHODS
from integral_tf.config.model import METHODS
from integral_tf.config.model import ModelConfig
from integral_tf.config.model import TWO_PHASE_METHODS
from integral_tf.config.predict import PredictConfig
from integral_tf.config.train import LIKELIHOODS
from integral_tf.config.train import OF_MAPS
from integral_tf.config.train import TrainConfig

__all__ = [
    "HEATMAP_METHODS",
    "LIKELIHOODS",
    "METHODS",
    "OF_MAPS",
    "TWO_PHASE_METHODS",
    "EvaluateConfig",
    "ExportConfig",
    "ModelConfig",
    "PredictConfig",
    "TrainConfig",
]

__getattr__ = former.names(__name__)
