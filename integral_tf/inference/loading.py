"""Opens a trained model, and finds the skeleton of its joints."""

import json
import pathlib
import warnings
import zipfile

import keras

from integral_tf import layers  # noqa: F401 - Keras finds them by their names
from integral_tf import skeletons
from integral_tf.models import archive

# Written by `make starter`; docs/starter.md is its card in words.
STARTER = pathlib.Path(__file__).parents[1] / "weights" / "starter.keras"


def starter():
    """The model that comes with the package, where none is named.

    Returns:
        Its path. A warning says in a line what it is good for.

    Raises:
        FileNotFoundError: this installation lacks it.
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
    """A Keras model from a `model.keras`, a run's folder, or itself.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a pose model.
    """
    if not isinstance(model, keras.Model):
        path = _path(model)
        if not path.is_file():
            raise FileNotFoundError(
                "A model is a model.keras, or the folder of a finished run "
                "that holds one, or a version's folder that export.py "
                f"published. Received: {str(model)!r}"
            )
        try:
            model = keras.saving.load_model(path, compile=False)
        except Exception as error:  # a damaged file has many
            reason = str(error).strip().partition("\n")[0]
            if path.suffix == ".keras" and not zipfile.is_zipfile(path):
                reason = "it is cut, or was never a zip archive"
            raise ValueError(
                f"{path} is not a Keras model that this version reads: "
                f"{reason or type(error).__name__}"
            ) from error
    if not isinstance(model.output, dict) or "joints" not in model.output:
        raise ValueError(
            "A pose model has named outputs, `joints` among them, as "
            f"integral_tf.pose_model builds it. Received: {model.name!r}"
        )
    return model


def check_skeleton(model, skeleton):
    """Requires that a model has a skeleton's number of joints.

    Raises:
        ValueError: it has another.
    """
    check_joints(model.output["joints"].shape[1], skeleton)


def check_joints(joints, skeleton):
    if len(skeleton) != joints:
        raise ValueError(
            f"The model has {joints} joints, the skeleton has "
            f"{len(skeleton)}. Received: skeleton={skeleton.name!r}"
        )


def _path(model):
    path = pathlib.Path(model)
    saved_model = (path / "saved_model.pb").is_file()
    return path / "model.keras" if path.is_dir() and not saved_model else path


def saved_skeleton(model):
    """The skeleton that a model's file holds or has beside it, or None.

    Raises:
        ValueError: what is there is none.
    """
    if isinstance(model, keras.Model):
        return None
    path = _path(model)
    if zipfile.is_zipfile(path) and (held := archive.read_skeleton(path)):
        return held
    # A SavedModel is a folder, any other artifact a file in one.
    folder = path if path.is_dir() else path.parent
    path = folder / archive.SKELETON
    return _read_skeleton(path) if path.is_file() else None


def _read_skeleton(path):
    return archive.from_json(pathlib.Path(path).read_bytes(), path)


def skeleton_of(network, skeleton, flip_test):
    """The skeleton that was given, or a guess, said to be one."""
    if skeleton is None:
        return _guessed(network.joints, flip_test)
    if isinstance(skeleton, (str, pathlib.Path)):
        named = str(skeleton) in skeletons.KNOWN
        file = not named and pathlib.Path(skeleton).is_file()
        read = _read_skeleton if file else skeletons.get
        skeleton = read(skeleton)
    check_joints(network.joints, skeleton)
    return skeleton


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
