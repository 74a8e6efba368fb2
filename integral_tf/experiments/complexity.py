"""Parameters and operations of networks, in Markdown.

report   the counts of one configuration, part by part
table    the counts of a row of Tables 3, 4 and 7 beside the paper's
beside   the counts of several backbones, and the time for an image
"""

import dataclasses

from integral_tf import config
from integral_tf import paper
from integral_tf.experiments import latency
from integral_tf.models import complexity
from integral_tf.models import methods

# The tables of the paper with operations and parameters.
TABLES = (3, 4, 7)
# MPII's, the dataset of these tables.
JOINTS = 16

_PARAMETERS = (
    "The paper's params are those of the ImageNet classifier, backbone and "
    "1000-way layer without the head; as built a network has its heads, a "
    "bias per convolution and the moving moments of its normalisations, and "
    "no 1000-way layer."
)
_OPERATIONS = (
    "The paper's FLOPs are multiply-accumulates with the strides on the 3 x 3 "
    "convolutions, and one operation per element of a normalisation or ReLU; "
    "as built they are multiply-accumulates alone, with ResNet-50's and 101's "
    "strides, unless --bottleneck_stride=3x3, on the 1 x 1 convolutions, as "
    "Keras's ImageNet weights were trained."
)
_NOT_REPRODUCED = (
    "The 101 M of MS-I1 was reproduced by no reading: ours is its four stages "
    "without their heads, and one 1000-way layer. CPM and HG are other "
    "networks, not counted here."
)


def report(model_config: config.ModelConfig, joints: int) -> str:
    """Writes the counts of a configuration, part by part, in Markdown.

    The paper's reading is left out for a backbone that the paper lacks.

    Args:
        model_config: A `config.ModelConfig`.
        joints: Number of joints.
    """
    built, papers = complexity.readings(model_config, joints)
    height, width = model_config.size
    name = f"{model_config.method}, {model_config.backbone}"
    if model_config.stages > 1:
        name = f"MS-{name}, {model_config.stages} stages"
    if model_config.method != "R1":
        name += f", {model_config.upsamplings} upsamplings"
    has_paper = model_config.backbone in paper.TABLE_4
    heads = ["part", "M params as built", "GMACs as built"]
    if has_paper:
        heads += ["M params, paper's reading", "GFLOPs, paper's reading"]
    lines = [
        f"{name}, {height} x {width} pixels, {joints} joints",
        "",
        f"| {' | '.join(heads)} |",
        "|---|" + (len(heads) - 1) * "---:|",
    ]
    for ours, theirs in zip(
        (*built, complexity.total(built)), (*papers, complexity.total(papers))
    ):
        figures = [ours.parameters / 1e6, ours.macs / 1e9]
        if has_paper:
            figures += [theirs.published / 1e6, theirs.operations / 1e9]
        elif not any(figures):
            continue
        cells = (f"{figure:.3f}" if figure else "-" for figure in figures)
        lines.append(f"| {ours.name} | {' | '.join(cells)} |")
    notes = ["", _OPERATIONS, _PARAMETERS] if has_paper else []
    return "\n".join([*lines, *notes])


def beside(
    model_config: config.ModelConfig,
    joints: int,
    backbones: list[str],
    formats: list[str],
) -> str:
    """Writes a row for each backbone, with its counts as built, in Markdown.

    Args:
        model_config: A `config.ModelConfig`; only its backbone is replaced.
        joints: Number of joints.
        backbones: Names of the backbones.
        formats: Formats of `latency.WRITERS` whose runtimes are timed.

    Raises:
        ValueError: a backbone or a format is unknown.
        ImportError: a runtime is not installed.
    """
    networks = {}
    for name in backbones:
        own = dataclasses.replace(
            model_config, backbone=name, preprocessing="own"
        )
        networks[own.backbone] = methods.of_config(own, joints)
    times = latency.of_networks(networks, formats)
    height, width = model_config.size
    heads = ["backbone", "M params", "GMACs"]
    heads += [f"{name}, ms" for name in formats]
    lines = [
        f"{model_config.method}, {height} x {width} pixels, {joints} joints, "
        f"batches of one image; {latency.words()}",
        "",
        f"| {' | '.join(heads)} |",
        "|---|" + (len(heads) - 1) * "---:|",
    ]
    for name, model in networks.items():
        counted = complexity.total(complexity.count(model))
        cells = [f"{counted.parameters / 1e6:.2f}", f"{counted.macs / 1e9:.3f}"]
        cells += [latency.spread(times[name, each]) for each in formats]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def table(number: int) -> str:
    """Writes the paper's counts beside ours, in Markdown.

    Args:
        number: Number of the table: 3, 4 or 7.

    Raises:
        ValueError: `number` is none of these.
    """
    if number not in TABLES:
        raise ValueError(
            "`number` is of a table that prints operations: 3, 4 or 7. "
            f"Received: number={number!r}"
        )
    lines = [
        f"| Table {number} | GFLOPs, paper | paper's reading | difference "
        "| GMACs as built | difference | M params, paper | paper's reading "
        "| difference | as built | difference |",
        "|---|" + 10 * "---:|",
    ]
    for name, model_config, row in _rows(number):
        gflops, mparams = row["gflops"], row["mparams"]
        if model_config is None:  # another network
            cells = [gflops, *4 * "-", mparams, *4 * "-"]
        else:
            built, papers = map(
                complexity.total, complexity.readings(model_config, JOINTS)
            )
            cells = _beside(gflops, papers.operations / 1e9, built.macs / 1e9)
            ours = papers.published / 1e6, built.parameters / 1e6
            cells += _beside(mparams, *ours)
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
    lines += ["", _OPERATIONS, _PARAMETERS]
    return "\n".join(lines + ([_NOT_REPRODUCED] if number == 7 else []))


def _rows(number):
    """`(name, config.ModelConfig or None, the paper's row)` of a table.

    Tables 3 and 4 print one count for all their methods. Ours is that of I1,
    which equals that of H1. R1 has fewer operations: it has no deconvolutions.
    """
    if number == 3:
        for letter, row in paper.TABLE_3.items():
            size, upsamplings = row["image_size"], row["upsamplings"]
            name = f"({letter}) {size} pixels, {upsamplings} upsamplings"
            ours = {"image_size": size, "upsamplings": upsamplings}
            yield name, config.ModelConfig(**ours), row
    elif number == 4:
        for backbone, row in paper.TABLE_4.items():
            yield backbone, config.ModelConfig(backbone=backbone), row
    else:
        four = config.ModelConfig(stages=4)
        ours = {"I1": config.ModelConfig(), "MS-I1": four}
        for name, row in paper.TABLE_7.items():
            yield name, ours.get(name), row


def _beside(printed, *figures):
    """Cells of the paper's figure and of ours, each with its difference."""
    cells = [printed]
    for figure in figures:
        cells += [f"{figure:.2f}", f"{figure / printed - 1:+.1%}"]
    return cells
