"""COCO's figures of an evaluation, by this package and by pycocotools."""

import importlib.util

from integral_tf import config as configs
from integral_tf import metrics
from integral_tf import paper
from integral_tf import skeletons
from integral_tf.evaluation import report


def figures(
    truth: dict,
    results: list[dict],
    skeleton: skeletons.Skeleton,
    weights: tuple[float, ...] | None = None,
) -> dict[str, dict[str, float]]:
    """COCO's ten figures, AP to AR (L).

    Args:
        truth: Ground truth in COCO's form.
        results: COCO's keypoint results.
        skeleton: The `skeletons.Skeleton`.
        weights: K weights of the joints in OKS; None for COCO's, all equal.

    Returns:
        Dict of `coco`, our figures, and, if it is installed, `pycocotools`,
        its figures. pycocotools knows no weights, and is left out with them.
    """
    sigmas = skeleton.sigmas
    found = {
        "coco": metrics.coco_keypoint_ap(
            truth, results, sigmas, weights=weights
        )
    }
    has_other = importlib.util.find_spec("pycocotools") and weights is None
    if results and has_other:
        found["pycocotools"] = metrics.pycocotools_ap(truth, results, sigmas)
    return found


def table(
    config: configs.EvaluateConfig,
    label: str,
    skeleton: skeletons.Skeleton,
    truth: dict,
    figures: dict,
) -> str:
    """The Markdown table of `figures`, beside the paper's row.

    Args:
        config: A `config.EvaluateConfig`.
        label: Name of the method.
        skeleton: The `skeletons.Skeleton`.
        truth: Ground truth in COCO's form.
        figures: What `figures` returned.
    """
    rows = [(f"{label}, by integral_tf", figures["coco"])]
    if "pycocotools" in figures:
        rows.append((f"{label}, by pycocotools", figures["pycocotools"]))
    changed = {
        f"--{name}={value}": value
        for name in ("joint_weights", "sigmas")
        if (value := getattr(config, name))
    }
    if skeleton.name == "coco" and label in paper.TABLE_8 and not changed:
        published = dict(zip(paper.TABLE_8_COLUMNS, paper.TABLE_8[label]))
        rows.append(
            (
                f"paper's {label}, test-dev",
                {name: value / 100 for name, value in published.items()},
            )
        )
    heading = (
        f"OKS over {len(truth['images'])} images; NMS: {config.oks_nms}, "
        f"rescored: {'yes' if config.rescore else 'no'}"
    )
    return report.ap_table(", ".join([heading, *changed]), rows)
