r"""Exports a run for servers and other runtimes, and checks what it wrote.

    python export.py --workdir=runs/i1 --out=models
    python export.py --workdir=runs/i1 --out=models \
        --formats=saved_model,onnx,litert,openvino --precisions=float32,int8

Each artifact is written aside, opened again by its own runtime, compared with
the Keras model on people of the run's records, and only then published as the
next version:

    models/saved_model/1/   models/onnx/1/   models/onnx_int8/1/   ...

with `card.json` beside it. One whose joints move by more than
`--max_pixel_error` is not published: the figure is printed, and the exit
status is 1.
"""

import logging

from absl import app
from absl import flags

from integral_tf import config
from integral_tf import settings
from integral_tf.export import publish

config.define_flags(config.ExportConfig)
flags.adopt_module_key_flags(config)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}")
    # The converters tell of every step, and of each other's old names.
    logging.disable(logging.WARNING)
    try:
        publish.export(config.from_flags(config.ExportConfig, flags.FLAGS))
    except (ValueError, OSError, publish.Refused) as error:
        raise SystemExit(f"export: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(
            "export: interrupted; what was published before stays"
        ) from None


if __name__ == "__main__":
    app.run(main, flags_parser=settings.parse)
