"""One person's pose in a photograph, and what else it can be made.

K is the number of joints.
"""

import dataclasses
import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from integral_tf import skeletons
from integral_tf.detection import refinement
from integral_tf.inference import draw
from integral_tf.inference import pictures


@dataclasses.dataclass(eq=False, repr=False)
class Pose:
    """One person's joints.

    Attributes:
        joints: `(K, 2)` x, y in image pixels.
        scores: `(K,)` in [0, 1].
        box: `(4,)` x, y, width, height of the person in image pixels.
        skeleton: The `skeletons.Skeleton` of the joints.
        number: Its place among the people of its picture, from 1.
        covariance: `(K, 2, 2)` of each joint in square image pixels, as the
            model has it: calibrated if the model is. None where it has none.
        heatmaps: `(h, w, K)` unnormalised scores, the model's maps of the
            crop around the box; None unless they were asked for.
        maps_to_image: `(2, 3)` affine map from pixels of these maps to pixels
            of the image; None without them.
    """

    joints: np.ndarray
    scores: np.ndarray
    box: np.ndarray
    skeleton: skeletons.Skeleton
    number: int = 1
    covariance: np.ndarray | None = None
    heatmaps: np.ndarray | None = None
    maps_to_image: np.ndarray | None = None

    @property
    def score(self) -> float:
        """Mean of the joints' scores."""
        return float(np.mean(self.scores))

    @property
    def sure(self) -> bool:
        """Whether any joint is sure; of a picture of nobody, none is."""
        return bool((self.scores >= refinement.SURE).any())

    @property
    def named(self) -> dict[str, tuple[float, float, float]]:
        """Dict from a joint's name to its `(x, y, score)`."""
        rows = np.column_stack([self.joints, self.scores]).tolist()
        return {
            name: tuple(row) for name, row in zip(self.skeleton.joints, rows)
        }

    def draw(
        self, image: Any, *, least: float = 0.0, ellipses: bool = False
    ) -> np.ndarray:
        """Draws the pose on a picture; `draw.people` draws several at once.

        Args:
            image: The picture, in any form that an estimator takes.
            least: Joints with a lower score are left out.
            ellipses: Draw where each joint is within one sigma.

        Returns:
            `(H, W, 3)` uint8 RGB, a drawn copy.

        Raises:
            ValueError: the image is none, or ellipses are wanted of a pose
                without covariance.
        """
        picture = pictures.read(image)
        return draw.people(picture, [self], least=least, ellipses=ellipses)

    def to_coco(self, category: int | None = None) -> dict[str, Any]:
        """The pose as a result in COCO's form, without its image.

        Args:
            category: Number of its category; None takes the skeleton's first.
        """
        keypoints = np.concatenate([self.joints, self.scores[:, None]], axis=1)
        if category is None:
            category = self.skeleton.categories[0]
        return {
            "category_id": category,
            "bbox": [round(float(v), 2) for v in self.box],
            "keypoints": [round(float(v), 3) for v in keypoints.ravel()],
            "score": round(self.score, 5),
        }

    def __repr__(self) -> str:
        sure = int((np.asarray(self.scores) >= refinement.SURE).sum())
        x, y, width, height = (round(float(v)) for v in self.box)
        more = "".join(
            f", {name}"
            for name in ("covariance", "heatmaps")
            if getattr(self, name) is not None
        )
        return (
            f"Pose({self.number}: score {self.score:.2f}, {sure} of "
            f"{len(self.scores)} {self.skeleton.name} joints from "
            f"{refinement.SURE:g} up, box ({x}, {y}, {width}, {height}){more})"
        )


def to_coco(
    poses: Sequence[Pose], image_id: int | str | None = None
) -> list[dict[str, Any]]:
    """Poses of one picture as COCO's keypoint results.

    Args:
        poses: What a `PoseEstimator` gives of one picture.
        image_id: The picture's number in COCO; None leaves it out.

    Returns:
        List of dicts `image_id`, `category_id`, `bbox`, `keypoints`, `score`;
        `json.dump` writes it, and pycocotools' `loadRes` reads it.

    Raises:
        ValueError: these are poses of several pictures, or none.
    """
    poses = [poses] if isinstance(poses, Pose) else list(poses)
    if not all(isinstance(pose, Pose) for pose in poses):
        raise ValueError(
            "`poses` are those of one picture; call this for each. "
            f"Received: a list of {type(poses[0]).__name__}"
        )
    known = {} if image_id is None else {"image_id": image_id}
    return [{**known, **pose.to_coco()} for pose in poses]


def to_supervision(poses: Sequence[Pose]) -> Any:
    """Poses of one picture as `supervision.KeyPoints`.

    Its `data` has `box`, `(N, 4)` x, y, width, height, and, where the model
    gives it, `covariance` `(N, K, 2, 2)`, which supervision's own
    `VertexEllipse...Annotator`s draw.

    Raises:
        ImportError: supervision is not installed, or an older one.
    """
    try:
        supervision = importlib.import_module("supervision")
        supervision.KeyPoints.__dataclass_fields__["keypoint_confidence"]
    except (ImportError, AttributeError, KeyError) as error:
        raise ImportError(
            "`to_supervision` needs supervision 0.29 or newer: "
            f"`pip install -U supervision`. Received: {error}"
        ) from error
    if not poses:
        return supervision.KeyPoints.empty()
    data = {"box": np.stack([pose.box for pose in poses])}
    if all(pose.covariance is not None for pose in poses):
        data["covariance"] = np.stack([pose.covariance for pose in poses])
    return supervision.KeyPoints(
        xy=np.float32([pose.joints for pose in poses]),
        class_id=np.array([pose.skeleton.categories[0] for pose in poses]),
        keypoint_confidence=np.float32([pose.scores for pose in poses]),
        detection_confidence=np.float32([pose.score for pose in poses]),
        data=data,
    )
