r"""Exports a run for servers and other runtimes, and checks what it wrote.

    integral-tf export --workdir=runs/i1 --out=models
    integral-tf export --workdir=runs/i1 --out=models \
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

from integral_tf import config

CONFIG = config.ExportConfig
INTERRUPTED = "what was published before stays"


def call(asked: config.ExportConfig) -> None:
    from integral_tf.export import publish

    # The converters tell of every step, and of each other's old names.
    logging.disable(logging.WARNING)
    try:
        publish.export(asked)
    finally:
        logging.disable(logging.NOTSET)
