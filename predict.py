r"""Draws the joints on photographs, and writes them as JSON.

    python predict.py --model=runs/i1/model.keras --images=photos --out=out
    python predict.py --model=runs/i1 --images=photo.jpg \
        --boxes=boxes.json --out=out
    python predict.py --model=models/onnx/1 --images=photos --out=out

`--out` receives one drawn picture per photograph and `joints.json`, in COCO's
result format with a `file_name`, joints in image pixels. Without `--boxes` the
whole image is one person.
"""

from absl import app
from absl import flags

from integral_tf import config
from integral_tf.inference import prediction

config.define_flags(config.PredictConfig)
flags.adopt_module_key_flags(config)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    try:
        prediction.predict(config.from_flags(config.PredictConfig, flags.FLAGS))
    except (ValueError, OSError, ImportError) as error:
        raise SystemExit(f"predict: {error}") from None


if __name__ == "__main__":
    app.run(main)
