r"""Asks a running server what a SavedModel was asked when it was exported.

    integral-tf replay --requests=models/saved_model/1 \
        --server=localhost:8500

The warm-up requests in the version's folder hold the exporter's answers, one
and eight people for each signature. They are sent over gRPC, and the largest
distance between a joint there and here is printed; the exit status is 1 if it
is above `--max_pixel_error`, or an answer is missing.
"""

import dataclasses

from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class ReplayConfig(settings.Checked):
    """A server, and the folder whose requests it is sent."""

    requests: str = setting(
        "",
        "Folder of the version, or its tf_serving_warmup_requests.",
        required=True,
        place=1,
    )
    server: str = setting("localhost:8500", "host:port of gRPC.", main=True)
    model: str = setting("pose", "Its name in models.config.", main=True)
    version: int = setting(
        0, "Its version; 0 is the newest served.", low=0, main=True
    )
    timeout: float = setting(30.0, "Seconds that one answer may take.", above=0)
    retry_for: float = setting(
        30.0, "Seconds to go on asking a server that is away.", low=0
    )
    max_pixel_error: float = setting(
        0.01, "Distance that is not an error.", low=0, main=True
    )


CONFIG = ReplayConfig


def call(asked: ReplayConfig) -> None:
    from integral_tf.serving import replay

    replay.run(asked)
