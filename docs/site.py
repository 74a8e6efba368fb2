"""The pages of the site that `make site` builds, found for mkdocs.

A document keeps the path that it has in the repository, so that its links to
other documents hold on the site as they do in a checkout. A page of the
reference is made of the docstrings of the modules named in `REFERENCE`.
"""

import pathlib
import re

import griffe
from mkdocs.structure.files import File
from mkdocs.structure.files import Files

ROOT = pathlib.Path(__file__).parent.parent
DOCUMENTS = (
    "*.md",
    "LICENSE",
    "CITATION.cff",
    "docs/*.md",
    "docs/examples/*",
    "docs/figures/*",
    "docs/notebooks/*.ipynb",
    "datasets/README.md",
    "serving/README.md",
)
# From a page to the modules on it; a package stands for its `__all__`.
REFERENCE = {
    "layers": ["layers"],
    "losses": ["losses"],
    # Some functions of `metrics` are named as their modules are.
    "metrics": [
        "metrics.pckh",
        "metrics.joint_distance",
        "metrics.normalised",
        "metrics.average_precision",
        "metrics.hotcoco",
        "metrics.calibration",
        "metrics.fitting",
    ],
    "ops": [
        "ops.integral",
        "ops.argmax",
        "ops.background",
        "ops.layout",
        "ops.targets",
        "ops.labels",
        "ops.warp",
    ],
    "coordinates": ["coordinates"],
    "skeletons": ["skeletons"],
    "models": ["models", "models.integralize", "models.loading"],
    "records": ["records.folder", "records.schema", "records.shards"],
    "pipeline": ["pipeline.batches"],
    "inference": ["inference.estimator", "inference.pose", "inference"],
    "evaluation": [
        "evaluation.calibrate",
        "evaluation.evaluate",
        "evaluation.predictions",
        "evaluation.reliability",
    ],
    "export": ["export.publish"],
}
EXAMPLE = re.compile(r"^>>> .*?(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)
CALL_ARGUMENTS = re.compile(r"^Call arguments:\n(    .*\n?)+", re.MULTILINE)
ARGUMENT = re.compile(r"^    (\w+: )", re.MULTILINE)


def on_config(config):
    """Adds the pages of the reference to the menu."""
    pages = [f"reference/{name}.md" for name in REFERENCE]
    config.nav.append({"Reference": pages})
    return config


def on_files(files, config):
    """Puts the documents and the reference in place of `docs_dir`'s files."""
    del files
    found = [
        File(
            str(path.relative_to(ROOT)),
            str(ROOT),
            config.site_dir,
            config.use_directory_urls,
        )
        for pattern in DOCUMENTS
        for path in sorted(ROOT.glob(pattern))
    ]
    for name, modules in REFERENCE.items():
        text = "\n".join(f"::: integral_tf.{module}" for module in modules)
        found.append(
            File.generated(
                config, f"reference/{name}.md", content=f"# {name}\n\n{text}\n"
            )
        )
    return Files(found)


class Docstrings(griffe.Extension):
    """Writes what Keras' docstrings have, and Google's have not, as Markdown.

    A doctest becomes a block of code, and `Call arguments:` become a list.
    """

    def on_object(self, *, obj, **kwargs):
        if obj.docstring:
            text = EXAMPLE.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)
            obj.docstring.value = CALL_ARGUMENTS.sub(
                lambda section: ARGUMENT.sub(r"    - \1", section[0]), text
            )
