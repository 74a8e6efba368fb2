"""Opens a trained model, and finds the skeleton of its joints."""

import importlib
import json
import os
import pathlib
import warnings
import zipfile

from integral_tf import skeletons
from integral_tf.models import archive
from integral_tf.models import tensor_files

# In the folder of a run: the finished model; until then, that of the epoch with
# the best validation score, and that of the last epoch.
MODEL, BEST, LAST = "model.keras", "best.keras", "last.keras"
WEIGHTS = ("auto", "finished", "best", "last")
# Written by `make starter`; docs/starter.md is its card in words.
STARTER = pathlib.Path(__file__).parents[1] / "weights" / "starter.keras"


def starter():
    """The path of the starter model, which comes with the package.

    A warning says in one line how good the model is.

    Raises:
        FileNotFoundError: this installation lacks the model.
    """
    card = STARTER.with_suffix(".json")
    if not (STARTER.is_file() and card.is_file()):
        raise FileNotFoundError(
            "This installation lacks the starter model; name a model. "
            f"Received: {STARTER}"
        )
    warnings.warn(json.loads(card.read_text())["notice"], stacklevel=3)
    return STARTER


def load(model):
    """Loads a Keras model.

    Args:
        model: Path of a `.keras` file, of a run's folder, or of a PyTorch
            checkpoint (`models.from_pytorch`); or a Keras model, which is
            returned as it is. Of a run that has not finished its `best.keras`
            is taken, else its `last.keras`, and a line says so.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not that of a pose model.
    """
    return load_with_skeleton(model)[0]


def load_with_skeleton(model, skeleton=None):
    """`load`, and the skeleton: the given one, the file's, or a guess.

    Args:
        model: As in `load`.
        skeleton: A `skeletons.Skeleton`, its name, the path of a
            `skeleton.json`, or None.

    Returns:
        The model, and a `skeletons.Skeleton` or None.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not that of a pose model, or there is no such
            skeleton.
    """
    skeleton = named_skeleton(skeleton)
    if tensor_files.is_checkpoint(model):
        from integral_tf.models import pytorch_checkpoint  # late: Keras

        return pytorch_checkpoint.opened(model, skeleton=skeleton)
    return _load(model), skeleton or saved_skeleton(model)


def _load(model):
    if isinstance(model, (str, os.PathLike)):
        path = _path(model)
        if not path.is_file():
            raise FileNotFoundError(
                "A model is a .keras file, or the folder of a run that holds "
                f"one ({MODEL}, {BEST} or {LAST}), or a version's folder that "
                "`integral-tf export` published, or a checkpoint of PyTorch "
                f"({', '.join(tensor_files.ENDINGS)}). "
                f"Received: {str(model)!r}"
            )
        if path != pathlib.Path(model) and path.name != MODEL:
            print(f"{model} has not finished: {described(path)} is taken")
        model = opened(path)
    outputs = getattr(model, "output", None)
    if not isinstance(outputs, dict) or "joints" not in outputs:
        raise ValueError(
            "A pose model has named outputs, `joints` among them, as "
            "integral_tf.pose_model builds it. "
            f"Received: {getattr(model, 'name', model)!r}"
        )
    return model


def opened(path):
    """Opens a Keras model's file in Keras's safe mode: no code of it runs.

    Raises:
        ImportError: there is no Keras 3.
        ValueError: the file is damaged, or has layers of unknown classes.
    """
    keras = _keras(path)
    try:
        archive.check_sizes(path)
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a damaged file has many
        reason = str(error).strip().partition("\n")[0]
        if path.suffix == ".keras" and not zipfile.is_zipfile(path):
            reason = "it is cut, or was never a zip archive"
        raise ValueError(
            f"{path} is not a Keras model that this version reads: "
            f"{reason[:300] or type(error).__name__}"
        ) from error


def _keras(path):
    """Loads a `.keras` file with Keras 3."""
    # Late, because an exported network may be used without Keras.
    try:
        keras_version = importlib.import_module("integral_tf.keras_version")
        has, legacy = keras_version.NAME, keras_version.LEGACY
    except ModuleNotFoundError as error:
        has, legacy = f"no module {error.name!r}", True
    if legacy:
        raise ImportError(
            "A Keras model is opened by Keras 3; what export.py published "
            f"needs none. Received: {str(path)!r}, with {has} here"
        )
    return keras_version.keras


def check_skeleton(model, skeleton):
    """Requires that a model has as many joints as a skeleton.

    Raises:
        ValueError: the numbers differ.
    """
    check_joints(model.output["joints"].shape[1], skeleton)


def check_joints(joints, skeleton):
    if len(skeleton) != joints:
        raise ValueError(
            f"The model has {joints} joints, the skeleton has "
            f"{len(skeleton)}. Received: skeleton={skeleton.name!r}"
        )


def described(path):
    """The name of a model's file, and its epoch if the file tells it."""
    path = pathlib.Path(path)
    epoch = archive.read_epoch(path)
    return f"{path.name}, of epoch {epoch}," if epoch else path.name


def of_run(folder, weights="auto"):
    """Path of one of the models in a run's folder.

    Args:
        folder: The run's folder.
        weights: One of `WEIGHTS`: `"finished"`, `"best"` or `"last"`, which is
            the finished model of a finished run; or `"auto"`, the first of
            these three that the run has.

    Raises:
        FileNotFoundError: the run lacks the model that is named.
    """
    files = {name: pathlib.Path(folder) / name for name in (MODEL, BEST, LAST)}
    here = [name for name in files if files[name].is_file()]
    wanted = {
        "auto": (MODEL, BEST, LAST),
        "finished": (MODEL,),
        "best": (BEST,),
        "last": (LAST, MODEL),
    }[weights]
    found = [files[name] for name in wanted if name in here]
    if not found and weights != "auto":
        raise FileNotFoundError(
            f"This run has no {wanted[0]}; it has "
            f"{' and '.join(here) or 'no model yet'}. "
            f"Received: --weights={weights} --workdir={folder}"
        )
    return found[0] if found else files[MODEL]


def _path(model):
    path = pathlib.Path(model)
    saved_model = (path / "saved_model.pb").is_file()
    return of_run(path) if path.is_dir() and not saved_model else path


def saved_skeleton(model):
    """The skeleton in a model's file or in its folder, or None.

    Raises:
        ValueError: the skeleton's file is damaged.
    """
    if not isinstance(model, (str, os.PathLike)):
        return None  # a Keras model
    path = _path(model)
    if zipfile.is_zipfile(path) and (held := archive.read_skeleton(path)):
        return held
    # A SavedModel is a folder; any other artifact is a file in a folder.
    folder = path if path.is_dir() else path.parent
    path = folder / archive.SKELETON
    return _read_skeleton(path) if path.is_file() else None


def _read_skeleton(path):
    return archive.from_json(pathlib.Path(path).read_bytes(), path)


def skeleton_of(network, skeleton, flip_test):
    """The given skeleton, or else a guess, with a warning."""
    if skeleton is None:
        return _guessed(network.joints, flip_test)
    skeleton = named_skeleton(skeleton)
    check_joints(network.joints, skeleton)
    return skeleton


def named_skeleton(skeleton):
    """A skeleton from its name or file; a `Skeleton` or None is returned."""
    if not isinstance(skeleton, (str, pathlib.Path)):
        return skeleton
    named = str(skeleton) in skeletons.KNOWN
    file = not named and pathlib.Path(skeleton).is_file()
    return _read_skeleton(skeleton) if file else skeletons.get(skeleton)


def _guessed(joints, flip_test):
    known = skeletons.KNOWN.values()
    skeleton = next((s for s in known if len(s) == joints), None)
    if flip_test or skeleton is None:
        why = (
            "A flip test swaps left and right, and"
            if flip_test
            else "No known skeleton has the model's number of joints, and"
        )
        raise ValueError(
            f"{why} nothing beside the model or in it says what its joints "
            f"are; give `skeleton`. Received: a model with {joints} joints"
        )
    warnings.warn(
        f"Nothing says what the model's {joints} joints are. By their number "
        f"they are taken for those of {skeleton.name}; give `skeleton` if "
        "they are others.",
        stacklevel=4,
    )
    return skeleton
