"""The training loader of Simple Baselines, as `pipeline.py` measures it.

Written after Xiao et al., "Simple Baselines for Human Pose Estimation and
Tracking" (https://arxiv.org/abs/1804.06208). OpenCV reads the photograph, flips
it at random, and warps a rotated and scaled crop. The target of each joint is a
Gaussian in its heat map.

Shape letters: K joints.
"""

import importlib

import cv2
import numpy as np

from integral_tf import coordinates
from integral_tf import skeletons

SIZE, MAP, SIGMA = 256, 64, 2
# ImageNet's mean and deviation, in OpenCV's order: blue, green, red.
_MEAN, _STD = (0.406, 0.456, 0.485), (0.225, 0.224, 0.229)


def torch():
    """Imports PyTorch, or says what to install."""
    try:
        return importlib.import_module("torch")
    except ImportError:
        raise SystemExit(
            "benchmarks/pipeline.py compares with a PyTorch DataLoader: "
            "`pip install torch`."
        ) from None


def batches(people, epoch, workers, batch_size):
    """Yields crops and targets.

    Args:
        people: List of objects with `path`, and in the image frame `joints`
            (K, 3) x, y, label and `box` (4,).
        epoch: Seed of the order.
        workers: Number of the DataLoader's processes; 0 loads in this process.
        batch_size: People in a batch.
    """
    torch().set_num_threads(1)
    cv2.setNumThreads(0)  # as in a worker; takes the least CPU time
    loader = torch().utils.data.DataLoader(
        Crops(people),
        batch_size,
        shuffle=True,
        num_workers=workers,
        drop_last=True,
        generator=torch().Generator().manual_seed(epoch),
        # A fork loses TensorFlow's threads, which the workers do not need.
        multiprocessing_context="fork" if workers else None,
    )
    for images, *_ in loader:
        yield images


class Crops:
    """The map-style dataset: one person's crop, heat maps and weights."""

    def __init__(self, people):
        self.people = people
        self.from_numpy = torch().from_numpy
        self.mean = torch().tensor(_MEAN)[:, None, None]
        self.std = torch().tensor(_STD)[:, None, None]

    def __len__(self):
        return len(self.people)

    def __getitem__(self, index):
        person = self.people[index]
        image = cv2.imread(
            person.path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        )
        joints, width = person.joints.copy(), image.shape[1]
        x, y, w, h = person.box
        middle = np.array([x + w / 2 - 0.5, y + h / 2 - 0.5])
        side = max(w, h) * coordinates.BOX_MARGIN
        side *= np.clip(1 + 0.25 * np.random.randn(), 0.75, 1.25)
        turn = 0.0
        if np.random.random() <= 0.6:
            turn = np.clip(30 * np.random.randn(), -60, 60)
        if np.random.random() <= 0.5:
            image = image[:, ::-1]
            joints[:, 0] = width - 1 - joints[:, 0]
            joints = joints[skeletons.COCO.mirrored_order]
            middle[0] = width - 1 - middle[0]
        matrix = cv2.getRotationMatrix2D(middle.tolist(), turn, SIZE / side)
        matrix[:, 2] += (SIZE - 1) / 2 - middle
        crop = cv2.warpAffine(
            image, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR
        )
        tensor = self.from_numpy(crop).permute(2, 0, 1).contiguous()
        tensor = tensor.float().div(255).sub_(self.mean).div_(self.std)
        joints[:, :2] = coordinates.apply(matrix, joints[:, :2])
        return tensor, *_stamped_gaussians(joints)


def _stamped_gaussians(joints):
    """`(K, 64, 64)` targets, a Gaussian patch per joint, and their weights."""
    maps = np.zeros((len(joints), MAP, MAP), np.float32)
    weights = (joints[:, 2:] > 0).astype(np.float32)
    reach, grid = 3 * SIGMA, np.arange(6 * SIGMA + 1, dtype=np.float32)
    for k, (x, y, _) in enumerate(joints):
        column = int(x / (SIZE / MAP) + 0.5)
        row = int(y / (SIZE / MAP) + 0.5)
        left, top = column - reach, row - reach
        right, bottom = column + reach + 1, row + reach + 1
        if left >= MAP or top >= MAP or right < 0 or bottom < 0:
            weights[k] = 0
            continue
        square = (grid - reach) ** 2 + (grid[:, None] - reach) ** 2
        patch = np.exp(-square / (2 * SIGMA**2))
        if weights[k] > 0:
            rows = slice(max(0, top), min(bottom, MAP))
            columns = slice(max(0, left), min(right, MAP))
            maps[k, rows, columns] = patch[
                rows.start - top : rows.stop - top,
                columns.start - left : columns.stop - left,
            ]
    return maps, weights
