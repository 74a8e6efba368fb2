"""Settings of `integral-tf train`; the defaults are Section 6.1's."""

from __future__ import annotations

import dataclasses

from integral_tf import settings
from integral_tf.config import model
from integral_tf.settings import setting

# Joint losses that read the map's covariance.
LIKELIHOODS = ("gaussian", "laplace")
OF_MAPS = (*LIKELIHOODS, "sampling")  # they read maps, not joints


@settings.with_former_names
@dataclasses.dataclass(frozen=True)
class TrainConfig(model.ModelConfig):
    """One training run: network, data, schedule, losses and folder."""

    data: str = setting(
        "",
        "Folder of records, written by an `integral-tf build-...`.",
        required=True,
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
        128,
        "People per step at most, over all devices. An epoch has everyone "
        "once, in steps of nearly one size: 1,000 people with 128 are 8 steps "
        "of 125.",
        low=1,
        main=True,
    )
    learning_rate: float = setting(1e-3, "Adam's base rate.", above=0)
    final_learning_rate: float = setting(
        1e-5, "Adam's rate once the validation loss has saturated.", above=0
    )
    patience: int = setting(
        5,
        "Epochs without a better validation loss after which the loss counts "
        "as saturated.",
        low=0,
    )
    min_delta: float = setting(
        1e-3,
        "Relative decrease that counts as a better validation loss.",
        low=0,
        below=1,
    )
    heatmap_epochs: int = setting(
        -1,
        "I1 to I3: at most this many epochs with the heat-map loss alone; -1 "
        "is half of --epochs.",
        low=-1,
    )
    joint_phase: str = setting(
        "both",
        "I1 to I3: losses after --heatmap_epochs. both, as in the paper; or "
        "joint, the joint loss alone, as in a later version of the paper.",
        ("both", "joint"),
    )
    init_from: str = setting(
        "",
        "Initial weights: folder of a run, a model.keras, a checkpoint, or "
        "starter, the model that comes with the package. Every tensor is taken "
        "whose layer has the same name and shape. I1 to I3 then begin with the "
        "joint loss.",
        main=True,
    )
    epochs: int = setting(
        140,
        "At most this many epochs in all; a larger number lengthens a run, "
        "finished or not. With --init_from, 0 trains nothing and only "
        "calibrates beta, which makes an integral model of a heat-map model.",
        low=0,
        main=True,
    )
    final_epochs: int = setting(
        -1,
        "The last epochs of --epochs, which use --final_learning_rate even if "
        "the validation loss has not saturated; -1 is a seventh of --epochs.",
        low=-1,
    )
    heatmap_weight: float = setting(1.0, "Weight of the heat-map loss.", low=0)
    joint_weight: float = setting(
        1.0, "Weight of the joint loss, which is in heat-map pixels.", low=0
    )
    joint_loss: str = setting(
        "L1",
        "Distance to the joint (Section 4); OKS is 1 less COCO's similarity; "
        "gaussian and laplace are negative log-likelihoods under the map's own "
        "covariance, which may fall below 0; sampling is the mean distance of "
        "samples of the map, sampling-argmax.",
        ("L1", "L2", "OKS", *OF_MAPS),
    )
    joint_weights: str = setting(
        "",
        "Weights of joints in every loss and in the validation's figures: "
        "left_wrist=2,knee=0.5. Others weigh 1; 0 leaves a joint out.",
    )
    sigmas: str = setting(
        "",
        "OKS standard deviations for --joint_loss=OKS and AP: "
        "left_wrist=0.05,knee=0.09, or one number for all joints. Others keep "
        "the records'.",
    )
    balance: str = setting(
        "",
        "Field of the records whose values are drawn equally often: category, "
        "or one that build-coco --field carries.",
    )
    rotation: float = setting(
        30.0, "Augmentation: degrees either way.", low=0, high=180
    )
    scale: float = setting(
        0.25,
        "Augmentation: relative change of size either way.",
        low=0,
        below=1,
    )
    flip: bool = setting(True, "Augmentation: mirror half of the people.")
    half_body: float = setting(
        0.0,
        "Augmentation: share of the people with more than half of their joints "
        "whose crop is around the upper or the lower half; HRNet's is 0.3.",
        low=0,
        high=1,
    )
    photometric: float = setting(
        0.0,
        "Augmentation: strength of changes of light and colours; 1 is strong.",
        low=0,
        high=2,
    )
    frozen_stages: int = setting(
        0,
        "How many first stages of the backbone are not trained.",
        low=0,
        high=6,
    )
    backbone_rate: float = setting(
        1.0, "Multiplies the backbone's learning rate.", low=0, high=100
    )
    warmup_steps: int = setting(
        0,
        "Steps in which the learning rate rises from 0; 0 for none.",
        low=0,
    )
    weight_decay: float = setting(
        0.0,
        "Decay of kernels as in AdamW, times the learning rate; not of biases "
        "and normalisation.",
        low=0,
    )
    clip_norm: float = setting(
        0.0,
        "Largest norm of the gradients of all weights together, to which "
        "longer ones are scaled; 0 for no limit.",
        low=0,
    )
    ema: float = setting(
        0.0,
        "Momentum of an average of the weights, as 0.999, which is then "
        "validated and saved as the model; checkpoints have both. 0 for none.",
        low=0,
        below=1,
    )
    accumulate: int = setting(
        1,
        "Micro-batches in which a step computes its gradients, with the memory "
        "of one; batch normalisation sees each by itself. At most the people "
        "of a device in a step.",
        low=1,
    )
    sigma: float = setting(
        1.0,
        "Standard deviation of the Gaussian of H1 and I1, in heat-map pixels.",
        low=0.01,
    )
    radius: float = setting(
        15.0,
        "H3 and I3: distance to the joint, in pixels of the input, within "
        "which heat-map pixels are positive.",
        low=1,
    )
    negatives: int = setting(
        3,
        "H3 and I3: negative pixels drawn for each positive pixel of a map.",
        low=0,
    )
    mixed_precision: str = setting(
        "float32",
        "Keras dtype policy.",
        ("float32", "mixed_float16", "mixed_bfloat16"),
    )
    jit_compile: bool = setting(
        False, "Compile the step with XLA; on a CPU it is slower."
    )
    devices: int = setting(
        0,
        "How many GPUs to use, the first ones; 0 for all. Without a GPU: into "
        "how many logical devices the CPU is divided, for tests.",
        low=0,
    )
    sync_batch_norm: bool = setting(
        False,
        "Batch normalisation over the people of all devices; it costs "
        "messages between devices in every layer.",
    )
    checkpoint_steps: int = setting(
        200, "Steps between checkpoints inside an epoch.", low=1
    )
    keep_checkpoints: int = setting(2, "Checkpoints kept on disk.", low=1)
    tensorboard: bool = setting(True, "Write TensorBoard logs.")
    skip_damaged: bool = setting(
        False,
        "Train without the shards of the training split that are damaged or "
        "missing; each is named. Without this flag such a shard ends the run.",
    )

    def phased(self) -> TrainConfig:
        """These settings, with the phases' shares of `epochs` as numbers."""
        # ours: the paper gives no epochs.
        shares = {
            "heatmap_epochs": self.epochs // 2,
            "final_epochs": self.epochs // 7,
        }
        wanted = {n: s for n, s in shares.items() if getattr(self, n) < 0}
        return dataclasses.replace(self, **wanted)
