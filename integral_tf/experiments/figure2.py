"""Figure 2: heat maps of ankles and a wrist, on the photograph."""

import matplotlib.figure
import numpy as np

from integral_tf import coordinates
from integral_tf.evaluation import predictions
from integral_tf.models import reading
from integral_tf.ops import integral
from integral_tf.ops import layout


def draw(models, records, path, *, person=-1):
    """Draws heat maps on the photograph, as Figure 2 does.

    One row per model, one column per joint: right and left ankle and right
    wrist. What an integral reads is drawn, the softmax of Eq. (5); a heat-map
    method's own scores are drawn as they are. White is the truth, red what
    was read.

    Args:
        models: Dict from a label to a pose model of the skeleton.
        records: The `Records`; the validation split is drawn from.
        person: Place in the split, or -1 for the one, of the first 512, with
            all three joints labelled, whose joints the models find best.
        path: PNG to write.

    Raises:
        ValueError: there is no such person, or joint.
    """
    skeleton = records.skeleton
    names = ("right_ankle", "left_ankle", "right_wrist")
    if missing := set(names) - set(skeleton.joints):
        raise ValueError(
            "Figure 2 shows ankles and a wrist. Received: the skeleton "
            f"{skeleton.name}, which has no {', '.join(sorted(missing))}"
        )
    columns = [skeleton.joints.index(name) for name in names]
    limit = max(512, person + 1)
    crops, read = _predicted(models, records, limit)
    errors = sum(
        np.linalg.norm(outputs["joints"] - crops["joints"], axis=-1)
        for outputs in read.values()
    )[:, columns].mean(axis=1)
    labelled = crops["visible"][:, columns].all(axis=1)
    if person < 0:
        person = int(np.argmin(np.where(labelled, errors, np.inf)))
    if person >= len(labelled):
        raise ValueError(
            f"The split has {len(labelled)} people. Received: person={person}"
        )
    picture = crops["images"][person].astype(np.uint8)
    height, width = picture.shape[:2]
    # From edge to edge: a map's pixel covers the crop's pixels that it spans.
    extent = (*coordinates.edges(width), *coordinates.edges(height)[::-1])
    figure = matplotlib.figure.Figure(
        figsize=(3 * len(names), 3.2 * len(models)), dpi=150
    )
    panels = figure.subplots(len(models), len(names), squeeze=False)
    for row, (label, outputs) in zip(panels, read.items()):
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
            axes.set_title(f"{label}: {skeleton.joints[joint]}", fontsize=9)
            axes.set_axis_off()
    figure.tight_layout()
    figure.savefig(path)


def _predicted(models, records, limit):
    """Crops of the validation split, and what each model makes of them.

    Returns:
        Dict of `images`, `joints` (crop frame) and `visible`, and a dict from
        label to dicts of `joints` and `maps` `(N, h, w, K)`.
    """
    read, crops = {}, None
    for label, model in models.items():
        observe = predictions.Observer(model, records.skeleton)
        rows = [
            (cropped, {"joints": out["joints"], "maps": _shares(model, out)})
            for _, cropped, out in observe(records, "val", 64, limit)
        ]
        crops = {
            name: np.concatenate([row[0][name] for row in rows])
            for name in ("images", "joints", "visible")
        }
        read[label] = {
            name: np.concatenate([row[1][name] for row in rows])
            for name in ("joints", "maps")
        }
    return crops, read


def _shares(model, outputs):
    """What a model's joints are read from: of an integral the softmax."""
    maps, integrals = outputs["heatmaps"], reading.integrals_of(model)
    if not integrals:
        return maps
    scores, spatial = layout.flatten_maps(maps)
    share = integral.spatial_softmax(scores, integrals[-1].beta)
    share = np.reshape(share, (*share.shape[:2], *spatial))
    return np.moveaxis(share, 1, -1)
