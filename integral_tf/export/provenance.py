"""What an exported model was trained on, what it scores, and its licence."""

import json
from typing import Any

from integral_tf import runs
from integral_tf.models import loading

# Metrics of a card that are no scores, but say what was measured.
WORDS = ("metric", "unit", "split", "people", "coco", "protocol")


def of(run: runs.Run, licence: str, metrics: dict | None) -> dict[str, Any]:
    """The part of a card that a user of the model reads first.

    Args:
        run: The `runs.Run`, or the starter model as one.
        licence: Licence of the weights; empty takes the starter model's own,
            and of another model means that nothing is said.
        metrics: The card's metrics, or None.

    Returns:
        Dict of the texts `trained_on` and `licence`, each empty if unknown;
        `notice`, a sentence on the model's limits, or empty; and `scores`, a
        list of dicts of the people `on` whom the `figures` were measured.
    """
    if run.folder == loading.STARTER:
        return _of_starter(licence)
    return {
        "trained_on": _records_of(run),
        "licence": licence,
        "notice": "",
        "scores": [_of_metrics(metrics)] if metrics else [],
    }


def _of_starter(licence):
    card = json.loads(loading.STARTER.with_suffix(".json").read_text())
    return {
        "trained_on": card["trained_on"],
        "licence": licence or card["licence"],
        "notice": f"Not good for {card['not_good_for']}.",
        "scores": [
            {
                "on": f"{row['people']} people, {name.replace('_', ' ')}",
                "figures": row["model"],
            }
            for name, row in card["figures"].items()
        ],
    }


def _records_of(run):
    """The records that a run was started with, in words."""
    path = run.folder / runs.RECORDS
    if not path.is_file():
        return ""
    described = json.loads(path.read_bytes())
    count, source = described["people"].get("train", 0), described["source"]
    return f"{count} people" + (f": {source}" if source else "")


def _of_metrics(metrics):
    on = f"{metrics.get('people', '?')} people of {metrics.get('split', '?')}"
    name = metrics.get("metric", "")
    figures = {
        f"{name}{key}" if key.startswith("@") else key: value
        for key, value in metrics.items()
        if key not in WORDS
    }
    return {"on": on, "figures": figures}
