"""What `import integral_tf` gives in whichever Keras this is."""

import importlib.util

import numpy as np
import pytest

import integral_tf
from integral_tf import keras_version
from integral_tf.keras_version import LEGACY
from tests.worlds import processes

ON_KERAS_3 = ["calibrate", "integralize", "pose_model"]


@pytest.mark.skipif(not LEGACY, reason="Keras 2")
def test_keras_2_says_once_what_it_has():
    printed = processes.fresh(
        """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import integral_tf
(said,) = [w.message for w in caught if "integral_tf" in str(w.message)]
print(said)
"""
    )
    assert "IntegralRegression, losses, metrics and skeletons work" in printed


@pytest.mark.skipif(not LEGACY, reason="Keras 2")
@pytest.mark.parametrize("name", ON_KERAS_3)
def test_keras_2_refuses_the_rest_in_one_sentence(name):
    with pytest.raises(ImportError, match="need Keras 3") as error:
        getattr(integral_tf, name)
    assert f"Received: integral_tf.{name}" in str(error.value)
    assert name not in dir(integral_tf)


@pytest.mark.skipif(LEGACY, reason="Keras 3")
def test_keras_3_has_the_networks():
    model = integral_tf.pose_model(
        "I1", "resnet18", image_size=32, width_multiplier=0.125
    )
    joints = model.predict(np.zeros((1, 32, 32, 3)), verbose=0)["joints"]
    assert joints.shape == (1, 16, 2)


@pytest.mark.skipif(
    importlib.util.find_spec("PIL") is not None, reason="no Pillow"
)
def test_without_pillow_the_estimator_says_so():
    with pytest.raises(ImportError, match="needs the module 'PIL'"):
        from integral_tf import PoseEstimator  # noqa: F401
    assert "PoseEstimator" not in dir(integral_tf)


def test_neither_keras_nor_tensorflow_comes_with_the_import():
    printed = processes.fresh(
        """
import sys
import integral_tf
from integral_tf import coordinates, metrics, skeletons
dir(integral_tf)
print(*{"keras", "tf_keras", "tensorflow", "jax", "torch"} & set(sys.modules))
"""
    )
    assert printed.split() == []


@pytest.mark.parametrize(
    "imports",
    [
        "import integral_tf, {keras}",
        "import {keras}, integral_tf",
        # First a module that others need whole.
        "import integral_tf.ops.integral, {keras}",
    ],
)
def test_keras_knows_the_classes_whichever_is_imported_first(imports):
    keras = keras_version.keras.__name__
    printed = processes.fresh(
        f"{imports.format(keras=keras)}\n"
        f"print(*{keras}.utils.get_custom_objects())"
    )
    known = {each for each in printed.split() if "integral_tf>" in each}
    wanted = {"IntegralRegression", "ScoreCalibration", "JointL1"}
    wanted |= {"JointDistance", *([] if LEGACY else ["PoseModel"])}
    assert {f"integral_tf>{each}" for each in wanted} <= known


def test_modules_of_plain_arrays_are_everywhere():
    from integral_tf import metrics
    from integral_tf import skeletons

    assert len(skeletons.MPII) == 16
    assert metrics.pckh is integral_tf.metrics.pckh


@pytest.mark.parametrize("name", integral_tf.__all__)
def test_dir_names_what_there_is(name):
    if name in dir(integral_tf):
        assert getattr(integral_tf, name) is not None
    else:
        with pytest.raises(ImportError):
            getattr(integral_tf, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'IntegralRegresion'"):
        integral_tf.IntegralRegresion  # noqa: B018
