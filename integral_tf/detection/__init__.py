"""Where are the people? Photographs in, boxes of people out.

get           anything that finds people, made one
refinement    the box of a person from the sure joints of a first answer

Neither TensorFlow nor Keras is imported here, but by KerasHub's detectors.
"""

from integral_tf.detection.detector import Detector
from integral_tf.detection.detector import get

__all__ = ["Detector", "get"]
