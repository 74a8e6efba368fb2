"""Person detection: photographs in, boxes of people out.

get           makes a `Detector` of a file, a name or a function
refinement    a person's box, from the sure joints of a first prediction

Only KerasHub's detectors import TensorFlow and Keras.
"""

from integral_tf.detection.detector import Detector
from integral_tf.detection.detector import get

__all__ = ["Detector", "get"]
