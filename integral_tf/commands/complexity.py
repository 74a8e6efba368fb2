r"""Counts parameters and operations of a network, for Tables 3, 4 and 7.

    integral-tf complexity --method=I1 --stages=4
    integral-tf complexity --table=4
    integral-tf complexity --backbone=resnet18 --latency=saved_model,onnx \
        --beside=MobileNetV3Small,EfficientNetV2B0

The first command counts one configuration, part by part; `--weights`, `--beta`
and `--heatmap_reading` change no count. The second prints the counts of a
table's rows beside the paper's. The third prints a row for each backbone, with
random weights, and the milliseconds that the runtimes of exports take for an
image. One image is counted in two ways, the second only for the ResNets of the
paper:

    as built     all parameters, with the moving moments of normalisations;
                 multiply-accumulates (MACs) of convolutions, deconvolutions
                 and fully connected layers, with the network's strides
    the paper's  parameters of the ImageNet classifier, which has a 1000-way
                 layer and no head; its FLOPs: the MACs with the strides on
                 the 3 x 3 convolutions, and one more operation per element of
                 a batch normalisation or ReLU

The paper defines neither count. The second way gives every figure in the paper
except the 101 M parameters of four stages. Neither way counts the operations of
biases, pooling, sums and the integral, which are below 1 % together in the
paper's networks.
"""

import dataclasses

from integral_tf import config
from integral_tf import settings
from integral_tf.commands import _quiet
from integral_tf.settings import setting


@settings.with_former_names
@dataclasses.dataclass(frozen=True)
class ComplexityConfig(config.ModelConfig):
    """A network, or a table of the paper."""

    joints: int = setting(
        16, "Number of joints; MPII has 16.", low=1, high=10**4, main=True
    )
    table: str = setting(
        "0",
        "Table of the paper, without any other flag; 0 counts the "
        "configuration of the other flags.",
        ("0", "3", "4", "7"),
        main=True,
    )
    beside: str = setting(
        "",
        "Other backbones, separated by commas, to set beside --backbone.",
        main=True,
    )
    latency: str = setting(
        "",
        "Formats, separated by commas, whose runtimes are timed: saved_model, "
        "onnx, litert, openvino.",
        main=True,
    )


CONFIG = ComplexityConfig


def call(asked: ComplexityConfig) -> None:
    from integral_tf.experiments import complexity

    if asked.table == "0" and (asked.beside or asked.latency):
        names = [asked.backbone, *settings.listed(asked.beside)]
        formats = settings.listed(asked.latency)
        with _quiet.converters():
            print(complexity.beside(asked, asked.joints, names, formats))
    elif asked.table == "0":
        print(complexity.report(asked, asked.joints))
    elif asked == ComplexityConfig(table=asked.table):
        print(complexity.table(int(asked.table)))
    else:
        raise ValueError(
            "`--table` has configurations of its own; leave the other flags "
            f"out. Received: --table={asked.table} with others"
        )
