"""What a run is: frozen dataclasses whose defaults are Section 6.1.

Every field becomes a flag of the same name (`flagfiles`), so that a preset
states only what makes its row different.
"""

import dataclasses

from integral_tf import former
from integral_tf import paper
from integral_tf import settings
from integral_tf.settings import setting

HEATMAP_METHODS = paper.HEATMAP_METHODS
TWO_PHASE_METHODS = paper.TWO_PHASE_METHODS
METHODS = tuple(paper.TABLE_2)


@dataclasses.dataclass(frozen=True)
class ModelConfig(settings.Checked):
    """Network choices of Sections 3 to 5."""

    method: str = setting("I1", "Row of Table 2.", METHODS, main=True)
    backbone: str = setting(
        "resnet50",
        "ResNet of Table 4, or EfficientNet-Lite0, the starter model's.",
        ("resnet18", "resnet50", "resnet101", "resnet152",
         "efficientnet_lite0"),
        main=True,
    )  # fmt: skip
    width: float = setting(
        1.0,
        "Multiplies resnet18's channels; 0.5 is the small network here.",
        low=1 / 64,
        high=64,
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


@dataclasses.dataclass(frozen=True)
class TrainConfig(ModelConfig):
    """One training run: data, schedule and where it goes."""

    data: str = setting(
        "", "Folder of records, from an `integral-tf build-...`.", required=True
    )
    workdir: str = setting(
        "",
        "Folder of this run; the same command again resumes it.",
        required=True,
    )
    seed: int = setting(
        0, "Seed of weights, order and augmentation.", low=0, high=2**31 - 1
    )
    batch_size: int = setting(
        128, "People per step, over all devices.", low=1, main=True
    )
    learning_rate: float = setting(1e-3, "Adam's base rate.", above=0)
    final_learning_rate: float = setting(
        1e-5, "Adam's rate once the validation loss has saturated.", above=0
    )
    patience: int = setting(
        5, "Epochs without a better validation loss that mean saturated.", low=0
    )
    min_delta: float = setting(
        1e-3,
        "Relative gain that counts as a better validation loss.",
        low=0,
        below=1,
    )
    heatmap_epochs: int = setting(
        70, "I1 to I3: at most this many epochs of heat-map loss alone.", low=0
    )
    joint_phase: str = setting(
        "both",
        "Losses of I1 to I3 after these epochs: both, as the paper has it, or "
        "the joint loss alone, as a later version of it.",
        ("both", "joint"),
    )
    init_from: str = setting(
        "",
        "Folder of a finished run with the same network, or a model.keras, to "
        "start from; I1 to I3 then begin with the joint loss.",
        main=True,
    )
    epochs: int = setting(
        140,
        "At most this many epochs in all. 0, with --init_from, only "
        "calibrates beta: a heat-map model becomes integral.",
        low=0,
        main=True,
    )
    final_epochs: int = setting(
        20,
        "The last of these run at --final_learning_rate at the latest.",
        low=0,
    )
    heatmap_weight: float = setting(1.0, "Weight of the heat-map loss.", low=0)
    joint_weight: float = setting(
        1.0, "Weight of the joint loss, which is in heat-map pixels.", low=0
    )
    joint_loss: str = setting(
        "L1", "Distance to the joint (Section 4).", ("L1", "L2")
    )
    rotation: float = setting(
        30.0, "Augmentation: degrees either way.", low=0, high=180
    )
    scale: float = setting(
        0.25, "Augmentation: share of size either way.", low=0, below=1
    )
    flip: bool = setting(True, "Augmentation: mirror half of the people.")
    photometric: float = setting(
        0.0, "Augmentation: of light and colours; 1 is strong.", low=0, high=2
    )
    frozen_stages: int = setting(
        0, "First stages of the backbone that stay as they are.", low=0, high=6
    )
    backbone_rate: float = setting(
        1.0, "Multiplies the backbone's learning rate.", low=0, high=100
    )
    sigma: float = setting(1.0, "Gaussian of H1, in heat-map pixels.", low=0.01)
    radius: float = setting(
        15.0,
        "H3: pixels of the input within which a joint is positive.",
        low=1,
    )
    negatives: int = setting(
        3, "H3: negatives drawn for every positive of a map.", low=0
    )
    mixed_precision: str = setting(
        "float32",
        "Keras dtype policy.",
        ("float32", "mixed_float16", "mixed_bfloat16"),
    )
    jit_compile: bool = setting(
        False, "Compile the step with XLA; on a CPU it is slower."
    )
    checkpoint_steps: int = setting(
        200, "Steps between checkpoints inside an epoch.", low=1
    )
    keep_checkpoints: int = setting(2, "Checkpoints kept on disk.", low=1)
    tensorboard: bool = setting(True, "Write TensorBoard logs.")


@dataclasses.dataclass(frozen=True)
class EvaluateConfig(settings.Checked):
    """One evaluation of a run."""

    workdir: str = setting("", "Folder of the run to evaluate.", main=True)
    data: str = setting(
        "", "Folder of records; empty takes the run's own.", main=True
    )
    split: str = setting("val", "Split of the records to score.", main=True)
    out: str = setting(
        "", "Folder to write; empty is WORKDIR/evaluation.", main=True
    )
    batch_size: int = setting(64, "People per step.", low=1)
    limit: int = setting(
        0, "Score only this many people; 0 scores them all.", low=0, main=True
    )
    flip_test: bool = setting(
        False,
        "Average each person with its mirror image (Section 6.1).",
        main=True,
    )
    flip_merge: str = setting(
        "auto",
        "What the flip test averages: maps, joints, or maps for the methods "
        "that read a maximum and joints for others.",
        ("auto", "maps", "joints"),
    )
    checkpoints: str = setting(
        "last",
        "What is scored: the run's model.keras, each checkpoint that it kept, "
        "or the average of their weights; these of an unfinished run, too.",
        ("last", "each", "average"),
        main=True,
    )
    annotations: str = setting(
        "",
        "COCO's ground truth, if not what the records hold; or MPII's .mat, "
        "to write its test submission.",
        main=True,
    )
    rescore: bool = setting(
        True, "Multiply a box's score by the mean of its joints' scores."
    )
    rescore_threshold: float = setting(
        0.2, "Only joints with a higher score enter this mean.", low=0, high=1
    )
    oks_nms: str = setting(
        "hard",
        "COCO: drop whoever is too similar to someone surer, or lower their "
        "scores first (soft).",
        ("hard", "soft", "none"),
    )
    nms_threshold: float = setting(
        0.9, "OKS above which two are one person.", low=0, high=1
    )
    compat: str = setting(
        "none",
        "Add a row of PCKh as Simple Baselines and HRNet print it.",
        ("none", "hrnet"),
    )
    self_test: bool = setting(
        False,
        "Score the truth itself: it must have 100, or AP 1. Needs no run, "
        "only --data.",
    )


@dataclasses.dataclass(frozen=True)
class PredictConfig(settings.Checked):
    """Joints on photographs or a video."""

    model: str = setting(
        "",
        "A model.keras, or the folder of a run, or of a version that "
        "`integral-tf export` published; empty takes the starter model that "
        "comes along.",
        main=True,
    )
    images: str = setting(
        "",
        "A photograph, a folder of them, or a video.",
        required=True,
        place=1,
    )
    boxes: str = setting(
        "",
        "Where the people are: a .csv, file_name,x,y,width,height,score; "
        "COCO's annotations or results, [{file_name or image_id, bbox: [x, y, "
        "w, h], score}], of a video [{frame, bbox, score}], frames from 0. "
        "Without it and --detector the whole image is one person.",
        main=True,
    )
    detector: str = setting(
        "",
        "What finds the people: an ONNX file of YOLOX, RTMDet, D-FINE, "
        "RT-DETR, DEIM or RF-DETR; opencv; or keras_hub:PRESET.",
        main=True,
    )
    person_class: int = setting(
        -1, "The detector's class of people; -1 is the usual one.", low=-1
    )
    out: str = setting(
        "poses",
        "Folder to write the drawings to, and joints.json, or of a video "
        "joints.jsonl; one of an earlier prediction is replaced.",
        main=True,
    )
    skeleton: str = setting(
        "",
        "What the joints are: a known name, or a skeleton.json; by default "
        "what the model says.",
        main=True,
    )
    batch_size: int = setting(16, "People per step.", low=1)
    flip_test: bool = setting(
        False,
        "Average each person with its mirror image (Section 6.1).",
        main=True,
    )
    min_box_score: float = setting(
        0.5,
        "Leave out boxes that the detector gave a lower score; a box without "
        "one stays.",
    )
    min_score: float = setting(
        0.0,
        "Draw only joints with at least this score.",
        low=0,
        high=1,
        main=True,
    )
    ellipses: bool = setting(
        False,
        "Draw where each joint is within one sigma; of models that integrate.",
    )


@dataclasses.dataclass(frozen=True)
class ExportConfig(settings.Checked):
    """Artifacts of a finished run, for servers and other runtimes."""

    workdir: str = setting("", "Folder of the run to export.", required=True)
    out: str = setting(
        "",
        "Folder to publish in; each format has its own inside.",
        required=True,
    )
    formats: str = setting(
        "saved_model",
        "With commas: saved_model, onnx, tensorrt, litert, openvino.",
        main=True,
    )
    precisions: str = setting(
        "float32",
        "With commas: float32, float16, int8; of all formats but saved_model. "
        "The expectation stays float32.",
        main=True,
    )
    max_pixel_error: float = setting(
        0.0,
        "An artifact that moves a joint by more pixels of the crop is not "
        "published. 0 allows 0.01 in float32, and of 95 joints in 100 0.25 in "
        "float16 and 4 in int8.",
        low=0,
        main=True,
    )
    people: int = setting(64, "People to compare on.", low=1)
    split: str = setting("val", "Split of the records that they are of.")
    data: str = setting(
        "", "Folder of records; empty takes the run's own.", main=True
    )
    calibration_people: int = setting(
        128, "People of the training split that int8 is calibrated on.", low=1
    )
    flip_test: bool = setting(
        False, "Average each person with its mirror image, inside.", main=True
    )
    max_batch: int = setting(
        64, "Most people in a batch of a TensorRT engine.", low=1
    )
    oks_nms: float = setting(
        0.0,
        "In the SavedModel: of two people more similar than this OKS, keep "
        "the surer; 0 keeps everyone. Section 6.2's is 0.9 here.",
        low=0,
        high=1,
    )


__getattr__ = former.names(__name__)
