"""Settings of `integral-tf export`."""

import dataclasses

from integral_tf import settings
from integral_tf.settings import setting


@settings.with_former_names
@dataclasses.dataclass(frozen=True)
class ExportConfig(settings.Checked):
    """Artifacts of a run, for servers and other runtimes."""

    workdir: str = setting(
        "",
        "Folder of the run to export; empty takes the starter model, which "
        "comes with the package.",
        main=True,
    )
    out: str = setting(
        "",
        "Folder to publish in; each format gets a folder inside.",
        required=True,
    )
    weights: str = setting(
        "auto",
        "Which of the run's models to export: finished, its model.keras; best "
        "or last, its best.keras or last.keras, and last is model.keras once a "
        "run has finished; auto, the first of these that the run has.",
        ("auto", "finished", "best", "last"),
        main=True,
    )
    formats: str = setting(
        "saved_model",
        "Formats, separated by commas: saved_model, onnx, tensorrt, litert, "
        "openvino, web.",
        main=True,
    )
    precisions: str = setting(
        "float32",
        "Precisions, separated by commas: float32, float16, int8. A "
        "saved_model is float32 in any case, and so is the expectation of "
        "Eq. (6).",
        main=True,
    )
    licence: str = setting(
        "",
        "Licence of the weights, for the card and the page; the starter "
        "model's is known.",
        main=True,
    )
    max_pixel_error: float = setting(
        0.0,
        "Largest distance, in pixels of the crop, between the artifact's "
        "joints and the model's; beyond it the artifact is not published. 0 "
        "means the defaults: 0.01 for every joint in float32, and for 95 % of "
        "the joints 0.25 in float16 and 4 in int8.",
        low=0,
        main=True,
    )
    compare_people: int = setting(
        64, "People to compare the joints on.", low=1, former="people"
    )
    split: str = setting("val", "Split of the records with these people.")
    data: str = setting(
        "",
        "Folder of records; empty takes the run's own, or drawn people where "
        "these are not there.",
        main=True,
    )
    calibration_people: int = setting(
        128, "People of the training split to calibrate int8 on.", low=1
    )
    flip_test: bool = setting(
        False,
        "Put the flip test into the artifact: it averages each person with its "
        "mirror image (Section 6.1).",
        main=True,
    )
    max_batch: int = setting(
        64, "Largest batch of a TensorRT engine, in people.", low=1
    )
    oks_threshold: float = setting(
        0.0,
        "Put OKS-NMS into the SavedModel: of two people with a larger OKS than "
        "this, it keeps the surer. 0 keeps everyone. `integral-tf evaluate` "
        "takes 0.9 for Section 6.2.",
        low=0,
        high=1,
        former="oks_nms",
    )
