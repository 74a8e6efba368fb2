"""Starts a network from the weights of another run.

Every tensor is taken over whose layer has the same name and whose shape is the
same. A run of another skeleton therefore leaves the last layer, which has a map
for each joint, and a run of another head leaves the head.
"""

from __future__ import annotations

import collections
import os
import pathlib
from collections.abc import Iterator

import keras

from integral_tf import layers
from integral_tf import runs
from integral_tf.models import loading
from integral_tf.models import methods
from integral_tf.training import checkpoint

# The name of the model that comes with the package.
STARTER = "starter"


def take(
    model: keras.Model, source: str | os.PathLike, *, whole: bool = False
) -> str:
    """Takes over every tensor of another model that fits.

    Calibrated numbers are not taken over. Where a network has several layers of
    one name, in the stages of Figure 1, they are matched in order; a further
    stage takes the last one.

    Args:
        model: The pose model that will be trained; changed.
        source: Folder of a run, finished or with checkpoints; a `model.keras`;
            a run's checkpoint; a PyTorch checkpoint; or `"starter"`.
        whole: Whether every tensor must fit, for a model that is not trained.

    Returns:
        One line: how many tensors of which layers were taken, and which were
        left.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is none of these, or is damaged; or no tensor fits,
            or not every one; or the networks differ in a setting that no shape
            shows; or `whole`, and only theirs is SimCC's.
    """
    loaded = _open(source)
    theirs = collections.defaultdict(list)
    for _, name, weight in _tensors(loaded):
        theirs[name].append(weight)
    pairs, left = [], []
    taken, of, seen = (collections.Counter() for _ in range(3))
    for part, name, ours in _tensors(model):
        found = theirs[name][: seen[name] + 1]
        seen[name] += 1
        of[part] += 1
        if found and found[-1].shape == ours.shape:
            pairs.append((name, ours, found[-1]))
            taken[part] += 1
            continue
        there = tuple(found[-1].shape) if found else "none"
        left.append(f"{name} ({tuple(ours.shape)} here, {there} there)")
    _check(model, loaded, {name for name, _, _ in pairs}, source)
    if whole and left:
        raise ValueError(
            "With --epochs=0 nothing is trained, and so every tensor must fit; "
            f"{len(left)} do not, such as {left[0]}. "
            f"Received: --init_from={source}"
        )
    if whole and _reads_lines(loaded) and not _reads_lines(model):
        raise ValueError(
            "With --epochs=0 nothing is trained, and the maps of SimCC are "
            "features, not heat maps: take a run of another method. "
            f"Received: --init_from={source}"
        )
    for _, ours, weight in pairs:
        ours.assign(weight)
    of_each = ", ".join(f"{n} {taken[n]} of {of[n]}" for n in of)
    line = (
        f"--init_from: {len(pairs)} of {len(pairs) + len(left)} tensors taken, "
        f"such as {pairs[0][0]}: {of_each}"
    )
    return f"{line}; {len(left)} left, such as {left[0]}" if left else line


def _check(model, loaded, names, source):
    """Requires that tensors fit, in what no shape shows, too."""
    if not names:
        raise ValueError(
            "No tensor of this model fits the network by the name of its layer "
            f"and by shape. Received: --init_from={source}"
        )
    ours, theirs = _settings(model, names), _settings(loaded, names)
    differing = [n for n in ours if n in theirs and ours[n] != theirs[n]]
    if differing:
        name = differing[0]
        raise ValueError(
            "`init_from` is a network with the same preprocessing, "
            "bottleneck_stride and cells, for which its weights were trained; "
            f"{name} is {theirs[name]} there and {ours[name]} here. "
            f"Received: --init_from={source}"
        )


def _reads_lines(model):
    return any(isinstance(each, layers.AxisHead) for each in model.layers)


def _settings(model, names):
    """Dict of what no shape shows: of the convolutions named, and of the whole.

    Args:
        model: A pose model.
        names: Names of the tensors that are taken.
    """
    found = {}
    for layer in model._flatten_layers():
        if isinstance(layer, layers.ImageNetNormalization):
            found["preprocessing"] = layer.mode
        elif hasattr(layer, "cells"):
            found["cells"] = layer.cells
        elif (
            isinstance(layer, keras.layers.Conv2D)
            and f"{layer.name}/kernel" in names
        ):
            found[f"the stride of {layer.name}"] = (
                layer.strides,
                layer.padding,
            )
    return found


def _tensors(model: keras.Model) -> Iterator[tuple]:
    """Yields `(part, name, weight)`: part of the network, layer and tensor."""
    numbers = {id(weight) for weight in layers.calibrated_weights(model)}
    for part in model.layers:
        for weight in part.weights:
            if id(weight) not in numbers:
                # Not the whole path, which differs after loading.
                name = "/".join(weight.path.split("/")[-2:])
                yield part.name, name, weight


def _open(source):
    """The model that `source` names."""
    if source == STARTER:
        return loading.load(loading.STARTER)
    path = pathlib.Path(source)
    number = runs.CHECKPOINT_FILE.fullmatch(path.with_suffix(".index").name)
    if number and path.parent.name == runs.CHECKPOINTS:
        wanted = str(path.with_suffix(""))
        found = [p for p in runs.checkpoints(path.parents[1]) if p == wanted]
        if not found:
            raise FileNotFoundError(
                "There is no such checkpoint of a run. "
                f"Received: --init_from={source}"
            )
        return _of_checkpoint(path.parents[1], found)
    saved = runs.checkpoints(path)
    if saved and not (path / runs.MODEL).exists():
        return _of_checkpoint(path, saved)
    return loading.load(source)


def _of_checkpoint(workdir, paths):
    """The network of a run, with the weights of its newest whole checkpoint."""
    run = runs.Run.open(workdir)
    if run.skeleton is None:
        raise ValueError(
            f"A run that has not finished has a {runs.SKELETON}. "
            f"Received: --init_from={workdir}"
        )
    model = methods.of_config(run.config, len(run.skeleton))
    network = layers.network_weights(model)
    for path in reversed(paths):
        try:
            weights, _ = checkpoint.read(path, len(network))
        except ValueError as error:
            reason = error
            continue
        for variable, weight in zip(network, weights):
            variable.assign(weight)
        return model
    raise ValueError(f"No checkpoint of this run is whole: {reason}")
