"""Names of backbones, and the preprocessing of the weights of each.

Beside the ResNets of the paper and EfficientNet-Lite0 they are the names of
keras.applications. Small and capital letters are not distinguished.
"""

import difflib

# The ending of the path of a user's own backbone.
FILE = ".keras"

# Names by the preprocessing of their ImageNet weights, which Keras's
# `preprocess_input` or the network's first layers have.
_BY_PREPROCESSING = {
    "caffe": "resnet18 resnet50 resnet101 resnet152 VGG16 VGG19",
    "lite": "efficientnet_lite0",
    "tf": (
        "MobileNet MobileNetV2 MobileNetV3Small MobileNetV3Large ResNet50V2 "
        "ResNet101V2 ResNet152V2 NASNetMobile NASNetLarge Xception"
    ),
    "torch": (
        "DenseNet121 DenseNet169 DenseNet201 ConvNeXtTiny ConvNeXtSmall "
        "ConvNeXtBase ConvNeXtLarge ConvNeXtXLarge EfficientNetB0 "
        "EfficientNetB1 EfficientNetB2 EfficientNetB3 EfficientNetB4 "
        "EfficientNetB5 EfficientNetB6 EfficientNetB7 EfficientNetV2B0 "
        "EfficientNetV2B1 EfficientNetV2B2 EfficientNetV2B3"
    ),
    "tf_128": "EfficientNetV2S EfficientNetV2M EfficientNetV2L",
}
_PREPROCESSING = {
    name: mode
    for mode, names in _BY_PREPROCESSING.items()
    for name in names.split()
}
NAMES = tuple(_PREPROCESSING)


def named(backbone: str) -> str:
    """The name of a backbone as this package spells it; a path as it is.

    >>> named("mobilenetv3small"), named("ResNet50"), named("mine.keras")
    ('MobileNetV3Small', 'resnet50', 'mine.keras')

    Raises:
        ValueError: the text is neither a name nor the path of a `.keras` file.
    """
    if backbone.endswith(FILE):
        return backbone
    known = {name.lower(): name for name in NAMES}
    if backbone.lower() in known:
        return known[backbone.lower()]
    if "inception" in backbone.lower():
        raise ValueError(
            "`backbone` shrinks images by a power of two, and Keras's "
            "Inception networks, which pad nothing, shrink them unevenly. "
            f"Received: backbone={backbone!r}"
        )
    near = difflib.get_close_matches(backbone.lower(), known, cutoff=0.5)
    near = [known[name] for name in near] or ["resnet50", "MobileNetV3Small"]
    raise ValueError(
        "`backbone` is resnet18, efficientnet_lite0, a network of "
        f"keras.applications or the path of a {FILE} file; the nearest names "
        f"are {', '.join(near)}. Received: backbone={backbone!r}"
    )


def preprocessing(backbone: str) -> str:
    """The preprocessing of a backbone's own weights; of a file, `"none"`.

    Args:
        backbone: A text of `named`.
    """
    return _PREPROCESSING.get(backbone, "none")
