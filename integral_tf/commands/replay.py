r"""Compares a running server's joints with those of the exporter.

    integral-tf replay --requests=models/saved_model/1 \
        --server=localhost:8500

The warm-up requests in a version's folder hold the exporter's responses, for
one person and for eight people per signature. The command sends the requests
over gRPC, and prints the largest distance between a joint of the server and of
the exporter. The exit status is 1 if the distance is above `--max_pixel_error`,
or a response is missing.
"""

import dataclasses

from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class ReplayConfig(settings.Checked):
    """Settings of `integral-tf replay`."""

    requests: str = setting(
        "",
        "Folder of the exported version, or its tf_serving_warmup_requests.",
        required=True,
        place=1,
    )
    server: str = setting(
        "localhost:8500", "host:port of the server's gRPC.", main=True
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
    timeout: float = setting(
        30.0, "Seconds that the server may take for a request.", above=0
    )
    retry_for: float = setting(
        30.0, "Seconds to retry while the server cannot be reached.", low=0
    )
    max_pixel_error: float = setting(
        0.01, "Largest distance in pixels that is no error.", low=0, main=True
    )


CONFIG = ReplayConfig


def call(asked: ReplayConfig) -> None:
    from integral_tf.serving import replay

    replay.run(asked)
