r"""Draws the joints on photographs or a video, and writes them as JSON.

    integral-tf predict --model=runs/i1/model.keras --images=photos --out=out
    integral-tf predict --model=runs/i1 --images=photo.jpg \
        --boxes=boxes.json --out=out
    integral-tf predict --model=runs/i1 --images=clip.mp4 --out=out
    integral-tf predict --model=models/onnx/1 --images=photos --out=out

`--out` receives one drawn picture per photograph and `joints.json`, in COCO's
result format with a `file_name`, joints in image pixels:

    [{"image_id": 42, "file_name": "000000000042.jpg", "category_id": 1,
      "bbox": [x, y, w, h], "keypoints": [x, y, score, ...], "score": s}]

`image_id` is the box's, or else the number that names the file; where there is
neither, it is left out. `category_id` is that of the model's joints: boxes of
other categories are left out. Of a video `--out` receives the drawn one, as
long as the video, and `joints.jsonl`, a line for each frame, from 0:

    {"frame": 0, "seconds": 0.0, "people": [{"category_id": 1, ...}]}

Without `--boxes` the whole image is one person. A photograph is turned as its
EXIF says, and boxes and joints are in that frame. The folders in a folder are
not read. What is left out is counted in the last line, with the reasons, and
what is odd is named; the exit status is 0 as long as something is left.
Interrupted, nothing is written.
"""

import pathlib
import warnings

from integral_tf import config

CONFIG = config.PredictConfig
# Models that a runtime of their own reads.
_RUNTIMES = (".onnx", ".tflite", ".xml", ".engine")


def uses(asked: config.PredictConfig) -> str:
    """Whether TensorFlow runs the model, or a runtime of its own."""
    path = pathlib.Path(asked.model)
    files = path.glob("model.*") if path.is_dir() else [path]
    if any(file.suffix in _RUNTIMES for file in files):
        return "python"
    return "tensorflow"


def call(asked: config.PredictConfig) -> None:
    from integral_tf.inference import predict

    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *_: f"predict: {message}\n"
    try:
        predict.predict(asked)
    finally:
        warnings.formatwarning = before
