"""What a network is: the choices of Sections 3 to 5."""

import dataclasses

from integral_tf import paper
from integral_tf import settings
from integral_tf.settings import setting

HEATMAP_METHODS = paper.HEATMAP_METHODS
TWO_PHASE_METHODS = paper.TWO_PHASE_METHODS
METHODS = tuple(paper.TABLE_2)


@settings.with_former_names
@dataclasses.dataclass(frozen=True)
class ModelConfig(settings.Checked):
    """Network choices of Sections 3 to 5."""

    method: str = setting("I1", "Row of Table 2.", METHODS, main=True)
    backbone: str = setting(
        "resnet50",
        "ResNet of Table 4, or EfficientNet-Lite0, the starter model's.",
        (
            "resnet18",
            "resnet50",
            "resnet101",
            "resnet152",
            "efficientnet_lite0",
        ),
        main=True,
    )
    width_multiplier: float = setting(
        1.0,
        "Multiplies resnet18's channels; --preset=small has 0.25.",
        low=1 / 64,
        high=64,
        former="width",
    )
    image_size: int = setting(
        256,
        "Height of the network's input in pixels; a multiple of 32.",
        low=32,
        high=4096,
        main=True,
    )
    image_width: int = setting(
        0, "Width of it; 0 makes it square.", low=0, high=4096
    )
    upsamplings: int = setting(
        2, "Deconvolutions in N_H; Table 8 uses 3.", low=0, high=5
    )
    stages: int = setting(
        1,
        "Stages of Figure 1, 1 to 4; above 1 a method is its MS- version.",
        low=1,
        high=4,
    )
    bottleneck_stride: str = setting(
        "1x1",
        "Convolution that has the stride in resnet50 and 101: 1x1 as in "
        "Keras's ImageNet weights, 3x3 as in the paper's counts, pytorch as "
        "that, padded as PyTorch does.",
        ("1x1", "3x3", "pytorch"),
    )
    preprocessing: str = setting(
        "caffe",
        "What the backbone sees: caffe as Keras's ImageNet weights, torch as "
        "MMPose's, torch_bgr as Simple Baselines', lite as EfficientNet-Lite.",
        ("caffe", "torch", "torch_bgr", "lite"),
    )
    head_channels: int = setting(256, "Channels of each deconvolution.", low=1)
    cells: str = setting(
        "middle",
        "Where a heat map's cell lies: at the middle of its pixels of the "
        "input, or at their first, as in checkpoints of Simple Baselines and "
        "MMPose, whose quarter of a cell beside the maximum comes along.",
        ("middle", "first"),
    )
    weights: str = setting(
        "",
        "Backbone weights: imagenet, a .weights.h5 file, or empty for random.",
        main=True,
    )
    beta: float = setting(
        0.0,
        "Factor on the scores before the softmax of Eq. (5). 0 takes 1, or, "
        "for I1 with --heatmap_reading=gaussian, what is best on the "
        "validation split when the joint loss joins.",
        low=0,
    )
    heatmap_reading: str = setting(
        "softmax",
        "How I1 supervises the map it integrates. softmax: cross-entropy of "
        "the softmaxed map with the Gaussian. gaussian: H1's squared error on "
        "the raw map. docs/choices.md has the measurement.",
        ("softmax", "gaussian"),
    )

    @property
    def size(self):
        """`(height, width)` of the network's input."""
        return self.image_size, self.image_width or self.image_size
