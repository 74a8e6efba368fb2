"""The layer saved, compiled and exported in whichever Keras this is."""

import numpy as np
import pytest

import integral_tf
from integral_tf import losses
from integral_tf.keras_version import keras
from integral_tf.keras_version import LEGACY
from tests.worlds import cases
from tests.worlds import processes

# How an artifact is read, from `folder`, for `pictures`; to `joints`.
SAVED_MODEL = """
import tensorflow as tf
loaded = tf.saved_model.load(folder + "/model")
joints = loaded.serve(tf.constant(pictures))["joints"].numpy()
"""


STABLEHLO = """
import jax
from jax import export
with open(folder + "/model", "rb") as file:
    joints = export.deserialize(file.read()).call(pictures)
"""


PT2 = """
import torch
loaded = torch.export.load(folder + "/model.pt2").module()
joints = loaded(torch.tensor(pictures))["joints"].detach().numpy()
"""


def test_save_load(tmp_path):
    # Trained first, so that the learned beta is one that no constructor gave.
    keras.utils.set_random_seed(0)
    pictures, labelled = cases.people()
    inputs = keras.Input((8, 12, cases.JOINTS))
    maps = keras.layers.Conv2D(cases.JOINTS, 3, padding="same")(inputs)
    first = keras.layers.Permute((3, 1, 2))(maps)
    outputs = {
        "learned": integral_tf.IntegralRegression(
            stride=cases.STRIDE, beta=2.0, learn_beta=True, name="learned"
        )(maps),
        "first": integral_tf.IntegralRegression(
            stride=cases.STRIDE, background=0.0, data_format="channels_first"
        )(first),
        **integral_tf.IntegralRegression(
            window=5, confidence=True, covariance=True
        )(maps),
    }
    model = keras.Model(inputs, outputs)
    trained = keras.Model(inputs, outputs["learned"])
    trained.compile(keras.optimizers.Adam(0.1), losses.JointL1())
    trained.fit(pictures, labelled, epochs=3, verbose=0)
    beta = model.get_layer("learned").beta
    assert abs(beta - 2.0) > 0.05
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "pictures.npy", pictures)
    # Keras' own load_model, its safe_mode on, knows the layer by the import.
    printed = processes.fresh(
        """
import sys, numpy, integral_tf
from integral_tf.keras_version import keras
model = keras.models.load_model(sys.argv[1] + "/model.keras")
pictures = numpy.load(sys.argv[1] + "/pictures.npy")
outputs = model.predict(pictures, verbose=0)
numpy.savez(sys.argv[1] + "/outputs.npz", **outputs)
print(model.get_layer("learned").beta)
""",
        tmp_path,
    )
    assert float(printed.split()[-1]) == pytest.approx(beta, abs=1e-6)
    want = model.predict(pictures, verbose=0)
    with np.load(tmp_path / "outputs.npz") as got:
        assert set(got) == set(want)
        for name, value in want.items():
            np.testing.assert_allclose(got[name], value, atol=cases.CLOSE)


@pytest.mark.parametrize("name", ["plain", "background", "window"])
def test_jit(name):
    layer = integral_tf.IntegralRegression(
        stride=cases.STRIDE, **cases.OPTIONS[name]
    )
    maps = cases.blobs()
    given = (
        keras.backend.constant(maps)
        if LEGACY
        else (keras.ops.convert_to_tensor(maps))
    )
    np.testing.assert_allclose(
        cases.array(cases.compiled(layer)(given)),
        cases.expected(maps, **cases.OPTIONS[name]),
        atol=cases.CLOSE,
    )


def test_export(tmp_path):
    """What the backend writes is read where this package is not imported."""
    model, (pictures, _) = cases.network(beta=3.0), cases.people()
    np.save(tmp_path / "pictures.npy", pictures)
    code = {"tensorflow": SAVED_MODEL, "jax": STABLEHLO, "torch": PT2}[
        cases.BACKEND
    ]
    if cases.BACKEND == "jax":
        # model.export of this backend wants TensorFlow: jax.export does not.
        import jax
        from jax import export

        written = export.export(jax.jit(lambda x: model(x)["joints"]))(
            jax.ShapeDtypeStruct(export.symbolic_shape("b,8,12,16"), "float32")
        )
        (tmp_path / "model").write_bytes(written.serialize())
    elif cases.BACKEND == "torch":
        import torch

        model.export(
            tmp_path / "model.pt2",
            format="torch",
            dynamic_shapes={0: torch.export.Dim("batch")},
            verbose=False,
        )
    else:
        model.export(str(tmp_path / "model"))
    processes.fresh(
        "import sys, numpy\nfolder = sys.argv[1]\n"
        "pictures = numpy.load(folder + '/pictures.npy')\n"
        f"{code}\n"
        "numpy.save(folder + '/joints.npy', joints)\n"
        "assert 'integral_tf' not in sys.modules",
        tmp_path,
    )
    np.testing.assert_allclose(
        np.load(tmp_path / "joints.npy"),
        cases.array(model(pictures)["joints"]),
        atol=cases.CLOSE,
    )
