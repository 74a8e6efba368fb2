r"""Asks TensorFlow Serving for the joints on pictures; draws and writes them.

    integral-tf client --images=photo.jpg --out=out
    integral-tf client --protocol=rest --server=host:8501 \
        --images=photos --boxes=boxes.json --out=out
    integral-tf client --health

`--out` receives the output of `integral-tf predict`: one drawn picture per
photograph, and `joints.json`. `--boxes` is the same as there; without it the
whole picture, as viewers show it, is one person. The last line counts boxes and
files that are left out. A picture that the server refuses gives a line, and the
other pictures go on. A server that cannot be reached is tried again for
`--retry_for` seconds. The exit status is 0 if every picture was answered.

REST needs neither TensorFlow nor Keras; gRPC needs tensorflow-serving-api.
"""

import dataclasses

from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class ClientConfig(settings.Checked):
    """Settings of `integral-tf client`."""

    protocol: str = setting(
        "grpc", "Interface of the server.", ("grpc", "rest"), main=True
    )
    server: str = setting(
        "",
        "host:port of the server; empty takes this machine, with port 8500 "
        "for gRPC and 8501 for REST.",
        main=True,
    )
    model: str = setting(
        "pose", "Name of the model in models.config.", main=True
    )
    version: int = setting(
        0,
        "Version of the model; 0 takes the newest served.",
        low=0,
        main=True,
    )
    health: bool = setting(
        False, "Only print whether the model is served.", main=True
    )
    images: str = setting(
        "", "A JPEG or PNG, or a folder of them.", main=True, place=1
    )
    boxes: str = setting(
        "",
        "File of the people's boxes: a JSON list of {file_name or image_id, "
        "bbox: [x, y, w, h], score}, COCO's annotations or results, or a .csv. "
        "Without --boxes the whole image is one person.",
        main=True,
    )
    out: str = setting(
        "", "Folder to write the drawings and the JSON to.", main=True
    )
    min_box_score: float = setting(
        0.5, "Leave out boxes with a lower score; boxes without a score stay."
    )
    min_score: float = setting(
        0.0, "Draw only joints with at least this score."
    )
    draw: bool = setting(True, "Draw the pictures.")
    skeleton: str = setting(
        "",
        "Skeleton of the joints: a known name, or the skeleton.json beside the "
        "exported model. The drawings need it, and the category of boxes and "
        "results is the skeleton's.",
        main=True,
    )
    parallel: int = setting(4, "Requests at a time.", low=1)
    timeout: float = setting(
        10.0, "Seconds that the server may take for a picture.", above=0
    )
    retry_for: float = setting(
        30.0, "Seconds to retry while the server cannot be reached.", low=0
    )


CONFIG = ClientConfig
INTERRUPTED = "joints.json has what was answered"


def uses(asked: ClientConfig) -> str:
    """The server computes, so the first line does not name TensorFlow."""
    return "python"


def call(asked: ClientConfig) -> int:
    from integral_tf.serving import client

    return client.run(asked)
