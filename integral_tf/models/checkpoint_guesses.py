"""Guesses a PyTorch checkpoint's crop size, skeleton and preprocessing.

The file does not contain them. They are guessed from the file's name, from the
names of the tensors, and from the number of joints. `Guesses.told` lists each
guess with its reason, so that a user can correct it.
"""

import dataclasses
import re

from integral_tf import skeletons

# Both projects write height x width in file names: 256x192. Of 192x256 the
# larger number is the height, too: people are tall.
_SIZE = re.compile(r"(?<![\da-z])(\d{2,4})x(\d{2,4})(?!\d)")
# Datasets whose 17 joints are not COCO's.
_OTHERS = ("h36m", "ap10k", "ap-10k", "macaque", "posetrack", "animal", "atrw")
_BY_JOINTS = {16: skeletons.MPII, 17: skeletons.COCO}
_COLOURS = {"torch": "RGB", "torch_bgr": "BGR"}


@dataclasses.dataclass
class Guesses:
    """Settings needed besides the tensors; those that are None are guessed.

    Attributes:
        image_size: `(height, width)` of the crops.
        skeleton: A `skeletons.Skeleton`, or None if it cannot be guessed.
        preprocessing: `"torch"` or `"torch_bgr"`.
        bottleneck_stride: `"pytorch"` or `"1x1"`.
        told: The guesses, each with its reason.
    """

    image_size: tuple[int, int] | None = None
    skeleton: skeletons.Skeleton | None = None
    preprocessing: str | None = None
    bottleneck_stride: str | None = None
    told: list[str] = dataclasses.field(default_factory=list)

    def complete(self, name: str, joints: int, is_mmpose: bool) -> None:
        """Guesses the attributes that are None.

        Args:
            name: Name of the file, without its folder; may be empty.
            joints: Number of maps.
            is_mmpose: Whether the tensors have MMPose's names.
        """
        name = name.lower()
        if self.skeleton is None:
            self.skeleton, why = _skeleton(name, joints)
            if self.skeleton:
                self._tell(f"the joints of {self.skeleton.name}", why)
        if self.image_size is None:
            self.image_size, why = _image_size(name, self.skeleton)
            height, width = self.image_size
            self._tell(f"crops of {height} x {width} (height x width)", why)
        if self.preprocessing is None:
            self.preprocessing = "torch" if is_mmpose else "torch_bgr"
            colours = _COLOURS[self.preprocessing]
            self._tell(f"trained on {colours}", "by the tensors' names")
        if self.bottleneck_stride is None:
            caffe = "caffe" in name
            self.bottleneck_stride = "1x1" if caffe else "pytorch"
            if caffe:
                self._tell("strides as in Caffe", "by the file's name")

    def _tell(self, what, why):
        self.told.append(f"{what} {why}")


def _skeleton(name, joints):
    """A skeleton or None, and the reason."""
    for skeleton in skeletons.KNOWN.values():
        if skeleton.name in name and len(skeleton) == joints:
            return skeleton, "by the file's name"
    if any(other in name for other in _OTHERS):
        return None, ""
    return _BY_JOINTS.get(joints), "by their number"


def _image_size(name, skeleton):
    """`(height, width)`, and the reason."""
    for sides in _SIZE.findall(name):
        width, height = sorted(map(int, sides))
        if width >= 64 and width % 32 == height % 32 == 0:
            return (height, width), "by the file's name"
    if skeleton is skeletons.MPII:
        return (256, 256), "as MPII's mostly are"
    return (256, 192), "as COCO's mostly are"
