"""What an export of a run is."""

import dataclasses

from integral_tf import settings
from integral_tf.settings import setting


@settings.with_former_names
@dataclasses.dataclass(frozen=True)
class ExportConfig(settings.Checked):
    """Artifacts of a finished run, for servers and other runtimes."""

    workdir: str = setting("", "Folder of the run to export.", required=True)
    out: str = setting(
        "",
        "Folder to publish in; each format has its own inside.",
        required=True,
    )
    formats: str = setting(
        "saved_model",
        "With commas: saved_model, onnx, tensorrt, litert, openvino.",
        main=True,
    )
    precisions: str = setting(
        "float32",
        "With commas: float32, float16, int8; of all formats but saved_model. "
        "The expectation stays float32.",
        main=True,
    )
    max_pixel_error: float = setting(
        0.0,
        "An artifact that moves a joint by more pixels of the crop is not "
        "published. 0 allows 0.01 in float32, and of 95 joints in 100 0.25 in "
        "float16 and 4 in int8.",
        low=0,
        main=True,
    )
    compare_people: int = setting(
        64, "How many people to compare on.", low=1, former="people"
    )
    split: str = setting("val", "Split of the records to compare on.")
    data: str = setting(
        "", "Folder of records; empty takes the run's own.", main=True
    )
    calibration_people: int = setting(
        128, "People of the training split that int8 is calibrated on.", low=1
    )
    flip_test: bool = setting(
        False, "Average each person with its mirror image, inside.", main=True
    )
    max_batch: int = setting(
        64, "Most people in a batch of a TensorRT engine.", low=1
    )
    oks_threshold: float = setting(
        0.0,
        "In the SavedModel: of two people more similar than this OKS, keep "
        "the surer; 0 keeps everyone. evaluate has 0.9.",
        low=0,
        high=1,
        former="oks_nms",
    )
