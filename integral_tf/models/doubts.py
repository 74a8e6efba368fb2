"""Checks that a network's heat maps are used correctly.

    maps are softmaxed, though not declared, or vice versa    check_sums
    the maps are a backbone's channels, not joints            check_joints
    the sizes contradict the stride or the data format        Sizes
    the frames of a film are taken for slices of a volume     refuse_film

A certain mistake is an error; a likely mistake is a warning.

Shape letters: B batch, K joints; maps are channels last.
"""

import warnings

import keras
import numpy as np

from integral_tf import coordinates

# Side of the images for a network of open size; it can be halved seven times.
_SIDE = 128
# More joints than any dataset labels.
_MANY = 512


def check_sums(inputs, maps, probabilities):
    """Runs the network on noise, and checks whether each map sums to 1.

    Raises:
        ValueError: each map sums to 1, and `probabilities` is False.
    """
    sums = _sums(inputs, maps)
    if sums is None:
        return
    refuse_softmaxed(sums, probabilities)
    if probabilities and not np.allclose(sums, 1, atol=0.05):
        _warn(
            "`probabilities=True` is for maps that sum to 1 each, over their "
            "own pixels; a softmax over joints or a sigmoid makes none. The "
            "joints are the mean of each map divided by its sum. "
            f"Received: sums of {sums.min():.4g} to {sums.max():.4g}"
        )


def refuse_softmaxed(sums, probabilities=False):
    """Refuses maps that would be softmaxed a second time.

    Args:
        sums: `(B, K)` sums of the maps; NaN for a map with a negative pixel.
        probabilities: Whether the maps' logarithms are integrated.
    """
    if not probabilities and sums.size and np.allclose(sums, 1, atol=1e-3):
        raise ValueError(
            "These maps are probabilities, each with a sum of 1, and would be "
            "softmaxed twice: integralize(..., probabilities=True), or name "
            "the layer before the softmax. Received: sums of "
            f"{sums.min():.4f} to {sums.max():.4f}"
        )


def sums_of(maps, data_format="channels_last"):
    """`(B, K)` sums of the maps; NaN for a map with a negative pixel."""
    maps = np.asarray(keras.ops.convert_to_numpy(maps), np.float64)
    first = data_format == "channels_first"
    axes = tuple(range(2, maps.ndim) if first else range(1, maps.ndim - 1))
    total = maps.sum(axis=axes)
    return total if maps.min(initial=0) >= 0 else np.full_like(total, np.nan)


def _sums(inputs, maps):
    """The sums of maps of noise; None if the network refuses noise."""
    noise = np.random.default_rng(0).uniform

    def drawn(tensor):
        shape = [length or _SIDE for length in tensor.shape[1:]]
        return noise(size=(1, *shape)).astype("float32")

    try:
        network = keras.Model(inputs, maps)
        found = network(keras.tree.map_structure(drawn, inputs), training=False)
        return sums_of(found)
    except Exception:
        # The network does not accept noise, or a side of 128. `calibrate`
        # checks its maps of pictures.
        return None


def check_joints(size, joints):
    """Warns of maps that look like a backbone's features.

    Args:
        size: Spatial shape of the maps; None for an open length.
        joints: The number K of maps.
    """
    pixels = None if None in size else int(np.prod(size))
    if joints >= _MANY or (pixels and joints > pixels):
        _warn(
            "The maps have more channels than joints are likely to be, or than "
            "a map has pixels, as a backbone's features have: give the network "
            "a last layer with one channel for each joint, or name that layer. "
            f"Received: {joints} channels of {tuple(size)} pixels"
        )


def refuse_film(maps):
    """Requires maps of pictures, lines or volumes, not of a film's frames.

    Raises:
        ValueError: the maps are the output of TimeDistributed.
    """
    operation = maps._keras_history.operation
    if isinstance(operation, keras.layers.TimeDistributed):
        raise ValueError(
            "Maps of a film would be read as those of a volume, its time as a "
            "coordinate: integralize the network of one frame, or read a film "
            "by keras.layers.TimeDistributed(IntegralRegression(...)). "
            f"Received: {operation.name} of TimeDistributed, maps "
            f"{tuple(maps.shape)}"
        )


class Sizes:
    """Finds and checks the stride by the sizes of images and maps.

    Args:
        inputs: The network's symbolic inputs.
        maps: The network's symbolic maps.
        data_format: That of the maps, and, if the sizes agree, of the images.
        given: Whether the caller gave `data_format`; otherwise it is Keras's
            setting.
    """

    def __init__(self, inputs, maps, data_format, given):
        self._images = [
            each.shape
            for each in keras.tree.flatten(inputs)
            if len(each.shape) == len(maps.shape)
        ]
        self._maps, self._format = maps.shape, data_format
        (other,) = {"channels_last", "channels_first"} - {data_format}
        plain = self._ratios(data_format, data_format)
        mixed = self._ratios(data_format, other)
        turned = [self._ratios(other, other), self._ratios(other, data_format)]
        alike = [each for each in (plain, mixed) if len(set(each)) == 1]
        if not given and plain not in alike and len(set(turned[0])) == 1:
            alike = []  # with as many joints as columns, both formats fit
        # Crop pixels per heat-map pixel along each axis; empty if not known.
        self._steps = (*alike, plain)[0]
        self._hint = ""
        if not alike and any(len(set(each)) == 1 for each in turned):
            self._hint = f"; is it data_format={other!r}?"

    def stride(self):
        """One number, or one for each axis of the maps, in their order.

        Raises:
            ValueError: the sizes determine no stride.
        """
        steps = self._steps
        # 100 pixels and 13 of a map mean a stride of 8, not of 7.7.
        fits = all(each % 1 == 0 or 1 / each % 1 == 0 for each in steps)
        if not steps or not fits or self._hint or min(steps) < 1 < max(steps):
            raise ValueError(
                "`stride` is the crop pixels that a heat-map pixel spans; give "
                "it where the sizes are open or do not divide, as one number "
                f"or as one for each axis of the maps{self._hint}. "
                f"Received: {self._said()}"
            )
        steps = tuple(int(each) if each >= 1 else each for each in steps)
        return steps[0] if len(set(steps)) == 1 else steps

    def check(self, stride):
        """Warns of a stride that does not give pixels of the images.

        It is no error: the joints may be wanted in another unit, such as
        millimetres, which may differ between the axes of a volume.
        """
        coordinates.steps(stride, len(self._maps) - 2)  # checks their number
        if not self._steps:
            return
        ratios = np.divide(self._steps, stride)
        if self._hint or max(*ratios, *(1 / ratios)) > 1.5:
            each = tuple(map(float, np.round(self._steps, 3)))
            _warn(
                "The sizes of images and maps contradict `stride`, which is "
                f"one number, or one for each axis of the maps{self._hint}; "
                f"they tell {each if len(set(each)) > 1 else f'{each[0]:g}'}. "
                "The joints are not in pixels of the images then, but in "
                f"another unit. Received: stride={stride}, {self._said()}"
            )

    def _ratios(self, of_maps, of_images):
        if len(self._images) != 1:
            return ()
        maps = _spatial(self._maps, of_maps)
        images = _spatial(self._images[0], of_images)
        if None in (*maps, *images):
            return ()
        return tuple(a / b for a, b in zip(images, maps))

    def _said(self):
        images = " and ".join(map(str, self._images)) or "not known"
        return (
            f"images {images}, maps {tuple(self._maps)}, "
            f"data_format={self._format!r}"
        )


def _spatial(shape, data_format):
    return shape[2:] if data_format == "channels_first" else shape[1:-1]


def _warn(sentence):
    # Names the line that called `integralize`.
    warnings.warn(sentence, stacklevel=4)
