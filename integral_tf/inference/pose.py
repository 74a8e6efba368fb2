"""One person's pose in a photograph, and conversions of poses.

Shape letters: K joints, N people.
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
        number: Number of the person in the picture, from 1; in a film that is
            tracked, the person's number in the film.
        covariance: `(K, 2, 2)` covariance of each joint's x and y in square
            image pixels, calibrated if the model is. None if the model does
            not give it.
        heatmaps: `(h, w, K)` unnormalised scores, the heat maps of the crop
            around the box; None unless the estimator was asked for them.
        maps_to_image: `(2, 3)` affine map from pixels of these heat maps to
            pixels of the image; None without heat maps.
        measured: `(K, 2)` the joints before they were smoothed; None if they
            were not, or if the person was not found in this frame.
    """

    joints: np.ndarray
    scores: np.ndarray
    box: np.ndarray
    skeleton: skeletons.Skeleton
    number: int = 1
    covariance: np.ndarray | None = None
    heatmaps: np.ndarray | None = None
    maps_to_image: np.ndarray | None = None
    measured: np.ndarray | None = None

    @property
    def score(self) -> float:
        """Mean of the joints' scores."""
        return float(np.mean(self.scores))

    @property
    def sure(self) -> bool:
        """Whether any joint is sure; in a picture without people none is."""
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
            image: The picture, in any form that `PoseEstimator` takes.
            least: Joints with a lower score are left out.
            ellipses: Draw each joint's one-sigma ellipse.

        Returns:
            `(H, W, 3)` uint8 RGB, a drawn copy.

        Raises:
            ValueError: `image` is not a picture, or `ellipses` is True and the
                pose has no covariance.
        """
        picture = pictures.read(image)
        return draw.people(picture, [self], least=least, ellipses=ellipses)

    def to_coco(self, category: int | None = None) -> dict[str, Any]:
        """The pose as a keypoint result of COCO, without `image_id`.

        Args:
            category: Number of the person's category; None takes the
                skeleton's first.

        Returns:
            Dict of `category_id`, `bbox`, `keypoints` and `score`.
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
        poses: The poses that a `PoseEstimator` returns for one picture.
        image_id: The picture's id in COCO; None leaves it out.

    Returns:
        List of dicts of `image_id`, `category_id`, `bbox`, `keypoints` and
        `score`. `json.dump` can write the list, and pycocotools' `loadRes` can
        read it.

    Raises:
        ValueError: `poses` are of several pictures, or are not poses.
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

    Args:
        poses: The N poses that a `PoseEstimator` returns for one picture.

    Returns:
        A `supervision.KeyPoints`. Its `data` has `box`, `(N, 4)` x, y, width,
        height in image pixels, and, if the model gives it, `covariance`
        `(N, K, 2, 2)`, which supervision's `VertexEllipse...Annotator`s draw.

    Raises:
        ImportError: supervision is not installed, or is too old.
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
