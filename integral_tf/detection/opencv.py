"""OpenCV's people detector: histograms of gradients (Dalal and Triggs, 2005).

It finds people who stand upright, are fully visible and at least 100 pixels
high. It takes under a second and needs no file of weights. A network finds far
more people.
"""

import numpy as np

from integral_tf import optional
from integral_tf.detection import answers
from integral_tf.detection import suppression

# The detector's window (width, height), and its margin around the person on
# each side. It was trained on people of 96 pixels' height in windows of 64 x
# 128. ours: their width is 40 pixels.
_WINDOW, _AROUND = np.array([64, 128]), np.array([12, 16])


class Hog:
    """OpenCV's people detector: image to `(N, 5)` boxes.

    A score is the margin of the detector's support vector machine, from 0 up.

    Raises:
        ImportError: OpenCV is not installed, or its version has no such
            detector.
    """

    def __init__(self) -> None:
        self._cv2 = optional.need(
            "cv2", "opencv-python-headless<5", "--detector=opencv", ""
        )
        if not hasattr(self._cv2, "HOGDescriptor"):
            raise ImportError(
                "This OpenCV has no people detector; OpenCV 4 has one: "
                "`pip install 'opencv-python-headless<5'`, and so has "
                "opencv-contrib-python-headless. Received: OpenCV "
                f"{self._cv2.__version__}"
            )
        self._weights = self._cv2.HOGDescriptor_getDefaultPeopleDetector()

    def __str__(self) -> str:
        return f"people detector (HOG) of OpenCV {self._cv2.__version__}"

    def __call__(self, image: np.ndarray) -> np.ndarray:
        if (np.array(image.shape[1::-1]) < _WINDOW).any():
            return np.zeros((0, 5))  # OpenCV would raise
        # One for each call, because threads may not share it.
        finder = self._cv2.HOGDescriptor()
        finder.setSVMDetector(self._weights)
        windows, scores = finder.detectMultiScale(
            np.ascontiguousarray(image[..., ::-1]), winStride=(8, 8), scale=1.05
        )
        windows = np.reshape(windows, (-1, 4)).astype(np.float64)
        scores = np.reshape(scores, -1).astype(np.float64)
        around = windows[:, 2:] * (_AROUND / _WINDOW)
        corners = np.concatenate(
            [windows[:, :2] + around, windows[:, :2] + windows[:, 2:] - around],
            axis=1,
        )
        kept = suppression.suppress(corners, scores)
        return answers.from_corners(corners[kept], scores[kept])
