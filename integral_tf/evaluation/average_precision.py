"""COCO's figures of an evaluation, by hotcoco or, where it cannot, by ours."""

from collections.abc import Sequence

from integral_tf import config as configs
from integral_tf import metrics
from integral_tf import paper
from integral_tf import skeletons
from integral_tf.evaluation import report
from integral_tf.metrics import hotcoco


def figures(
    truth: dict,
    results: Sequence[dict],
    skeleton: skeletons.Skeleton,
    weights: tuple[float, ...] | None = None,
) -> dict:
    """COCO's ten figures, AP to AR (L). Prints who computed them.

    hotcoco and this package have the same figures to 1e-6, those of
    pycocotools.

    Args:
        truth: Ground truth in COCO's form.
        results: COCO's keypoint results.
        skeleton: The `skeletons.Skeleton`.
        weights: K weights of the joints in OKS; None for COCO's, all equal.

    Returns:
        Dict of `coco`, the figures, and `coco_engine`, the program that
        computed them.
    """
    try:
        if weights:
            raise hotcoco.Beyond("hotcoco knows no weights of joints")
        found = metrics.hotcoco_ap(truth, results, skeleton.sigmas)
        engine = f"hotcoco {hotcoco.load().__version__}"
        print(f"AP by {engine}")
    except (ImportError, hotcoco.Beyond) as reason:
        found = metrics.coco_keypoint_ap(
            truth, results, skeleton.sigmas, weights=weights
        )
        engine = "integral_tf"
        print(f"AP by {engine}: {reason}")
    return {"coco": found, "coco_engine": engine}


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
    rows = [(label, figures["coco"])]
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
        f"rescored: {'yes' if config.rescore else 'no'}, "
        f"by {figures['coco_engine']}"
    )
    return report.ap_table(", ".join([heading, *changed]), rows)
