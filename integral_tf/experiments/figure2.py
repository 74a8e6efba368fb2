"""Figure 2: heat maps of ankles and a wrist, on the photograph."""

import os

import keras
import matplotlib.figure
import numpy as np

from integral_tf import coordinates
from integral_tf.evaluation import predictions
from integral_tf.models import reading
from integral_tf.ops import integral
from integral_tf.ops import layout
from integral_tf.records.folder import Records

_JOINTS = ("right_ankle", "left_ankle", "right_wrist")


def joints(records: Records, person: int = -1) -> list[int]:
    """The joints that the figure shows, as indices of the skeleton's.

    Args:
        records: The `Records`.
        person: Index of the person in the validation split, as in `draw`.

    Raises:
        ValueError: there is no such person, or the skeleton lacks one of the
            joints.
    """
    skeleton = records.skeleton
    if missing := set(_JOINTS) - set(skeleton.joints):
        raise ValueError(
            "Figure 2 shows ankles and a wrist. Received: the skeleton "
            f"{skeleton.name}, which has no {', '.join(sorted(missing))}"
        )
    people = records.people("val")
    if person >= people:
        raise ValueError(
            f"The split has {people} people. Received: person={person}"
        )
    return [skeleton.joints.index(name) for name in _JOINTS]


def draw(
    models: dict[str, keras.Model],
    records: Records,
    path: str | os.PathLike,
    *,
    person: int = -1,
) -> None:
    """Draws heat maps on the photograph, as Figure 2 does.

    There is a row per model, and a column per joint: right ankle, left ankle
    and right wrist. For a method with an integral the map is the softmax of
    Eq. (5); for a heat-map method it is the scores themselves. The truth is
    white, the prediction red.

    Args:
        models: Dict from a label to a pose model of the records' skeleton.
        records: The `Records`; the person is from the validation split.
        person: Index of the person in the split. -1 takes, among the first 512
            people with all three joints labelled, the person with the least
            error of all models.
        path: PNG to write.

    Raises:
        ValueError: as in `joints`.
    """
    columns = joints(records, person)
    limit = max(512, person + 1)
    crops, predicted = _predicted(models, records, limit)
    errors = sum(
        np.linalg.norm(outputs["joints"] - crops["joints"], axis=-1)
        for outputs in predicted.values()
    )[:, columns].mean(axis=1)
    labelled = crops["visible"][:, columns].all(axis=1)
    if person < 0:
        person = int(np.argmin(np.where(labelled, errors, np.inf)))
    picture = crops["images"][person].astype(np.uint8)
    height, width = picture.shape[:2]
    # From edge to edge, so that a map's pixel covers the crop's pixels that it
    # spans.
    extent = (*coordinates.edges(width), *coordinates.edges(height)[::-1])
    figure = matplotlib.figure.Figure(
        figsize=(3 * len(_JOINTS), 3.2 * len(models)), dpi=150
    )
    panels = figure.subplots(len(models), len(_JOINTS), squeeze=False)
    for row, (label, outputs) in zip(panels, predicted.items()):
        for axes, joint in zip(row, columns):
            axes.imshow(picture, extent=extent)
            axes.imshow(
                outputs["maps"][person, ..., joint],
                extent=extent,
                cmap="jet",
                alpha=0.55,
            )
            for points, colour in ((crops, "white"), (outputs, "red")):
                x, y = points["joints"][person, joint]
                axes.plot(x, y, "o", color=colour, ms=5, mec="black")
            name = records.skeleton.joints[joint]
            axes.set_title(f"{label}: {name}", fontsize=9)
            axes.set_axis_off()
    figure.tight_layout()
    figure.savefig(path)


def _predicted(models, records, limit):
    """Crops of the validation split, and each model's outputs.

    Returns:
        Dict of `images`, `joints` (crop frame) and `visible`; and a dict from
        a label to a dict of `joints` and `maps` `(N, h, w, K)`.
    """
    outputs, crops = {}, None
    for label, model in models.items():
        observe = predictions.Observer(model, records.skeleton)
        rows = [
            (cropped, {"joints": out["joints"], "maps": _maps(model, out)})
            for _, cropped, out in observe(records, "val", 64, limit)
        ]
        crops = {
            name: np.concatenate([row[0][name] for row in rows])
            for name in ("images", "joints", "visible")
        }
        outputs[label] = {
            name: np.concatenate([row[1][name] for row in rows])
            for name in ("joints", "maps")
        }
    return crops, outputs


def _maps(model, outputs):
    """`(N, h, w, K)` maps: an integral's softmax, or a maximum's scores."""
    maps, integrals = outputs["heatmaps"], reading.integrals_of(model)
    if not integrals:
        return maps
    scores, spatial = layout.flatten_maps(maps)
    probabilities = integral.spatial_softmax(scores, integrals[-1].beta)
    probabilities = np.reshape(
        probabilities, (*probabilities.shape[:2], *spatial)
    )
    return np.moveaxis(probabilities, 1, -1)
