r"""Asks TensorFlow Serving for the joints on pictures; draws and writes them.

    integral-tf client --images=photo.jpg --out=out
    integral-tf client --protocol=rest --server=host:8501 \
        --images=photos --boxes=boxes.json --out=out
    integral-tf client --health

`--out` receives what `integral-tf predict` writes: one drawn picture per
photograph and `joints.json`. Boxes, too, are as there; without them the whole
picture, as viewers show it, is one person. Boxes and files that are left out
are counted in the last line. A picture that the server refuses is one line, and
the others go on; a server that is away is asked again for `--retry_for`
seconds. The exit status is 0 if every picture was answered.

REST needs neither TensorFlow nor Keras; gRPC needs tensorflow-serving-api.
"""

import dataclasses

from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class ClientConfig(settings.Checked):
    """A server, and what it is asked."""

    protocol: str = setting("grpc", "How to ask.", ("grpc", "rest"), main=True)
    server: str = setting(
        "",
        "host:port; by default this machine's 8500 or, of REST, 8501.",
        main=True,
    )
    model: str = setting("pose", "Its name in models.config.", main=True)
    version: int = setting(
        0, "Its version; 0 is the newest served.", low=0, main=True
    )
    health: bool = setting(
        False, "Only say whether the model is served.", main=True
    )
    images: str = setting(
        "", "A JPEG or PNG, or a folder of them.", main=True, place=1
    )
    boxes: str = setting(
        "",
        "People in the images: a JSON list of {file_name or image_id, bbox: "
        "[x, y, w, h], score}, COCO's annotations or results, or a .csv; "
        "without it the whole image is one person.",
        main=True,
    )
    out: str = setting(
        "", "Folder to write the drawings and the JSON to.", main=True
    )
    min_box_score: float = setting(0.5, "Leave out boxes less sure than this.")
    min_score: float = setting(0.0, "Draw only joints at least this sure.")
    draw: bool = setting(True, "Draw the pictures.")
    skeleton: str = setting(
        "",
        "What the joints are: a skeleton's name, or the skeleton.json beside "
        "the exported model; for the drawing, and the category of boxes and "
        "results.",
        main=True,
    )
    parallel: int = setting(4, "Requests at a time.", low=1)
    timeout: float = setting(10.0, "Seconds that one answer may take.", above=0)
    retry_for: float = setting(
        30.0, "Seconds to go on asking a server that is away.", low=0
    )


CONFIG = ClientConfig
INTERRUPTED = "joints.json has what was answered"


def uses(asked: ClientConfig) -> str:
    """The client computes nothing."""
    return "python"


def call(asked: ClientConfig) -> int:
    from integral_tf.serving import client

    return client.run(asked)
