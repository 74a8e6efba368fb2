r"""Draws the joints on photographs or a film, and writes them as JSON.

    integral-tf predict --model=runs/i1/model.keras --images=photos --out=out
    integral-tf predict --model=runs/i1 --images=photo.jpg \
        --boxes=boxes.json --out=out
    integral-tf predict --model=runs/i1 --images=clip.mp4 --out=out
    integral-tf predict --model=models/onnx/1 --images=photos --out=out
    integral-tf predict --images=0 --show --seconds=60 --out=out
    integral-tf predict --images=rtsp://HOST/PATH --out=out

`--out` receives one drawn picture per photograph and `joints.json`, in COCO's
result format with a `file_name`, joints in image pixels:

    [{"image_id": 42, "file_name": "000000000042.jpg", "category_id": 1,
      "bbox": [x, y, w, h], "keypoints": [x, y, score, ...], "score": s}]

`image_id` is that of the box, or else the number that names the file; it may be
missing. `category_id` is that of the model's joints; boxes of other categories
are left out. For a video, a camera or a stream `--out` receives the drawn
video, and `joints.jsonl` with a line per frame, from 0:

    {"frame": 0, "seconds": 0.0, "people": [{"category_id": 1, ...}]}

Without `--boxes` and `--detector` the whole image is one person. A photograph
is turned by its EXIF; boxes and joints are in the frame of the turned picture.
Folders inside a folder are not read. The last line counts everything that is
left out, with the reasons. The exit status is 0 if any image was read. An
interrupted command writes nothing; of a video that breaks off, and after
Ctrl-C, the whole frames are kept, and the exit status is 1, or 130.
"""

import pathlib
import warnings

from integral_tf import config

CONFIG = config.PredictConfig
# Endings of models that need no TensorFlow.
_RUNTIMES = (".onnx", ".tflite", ".xml", ".plan")


def uses(asked: config.PredictConfig) -> str:
    """ "tensorflow", or "python" for a model with a runtime of its own."""
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
