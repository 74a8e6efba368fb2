"""What a prediction on photographs or a video is."""

import dataclasses

from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class PredictConfig(settings.Checked):
    """Joints on photographs or a video."""

    model: str = setting(
        "",
        "A model.keras, or the folder of a run, or of a version that "
        "`integral-tf export` published; empty takes the starter model that "
        "comes along.",
        main=True,
    )
    images: str = setting(
        "",
        "A photograph, a folder of them, or a video.",
        required=True,
        place=1,
    )
    boxes: str = setting(
        "",
        "Where the people are: a .csv, file_name,x,y,width,height,score; "
        "COCO's annotations or results, [{file_name or image_id, bbox: [x, y, "
        "w, h], score}], of a video [{frame, bbox, score}], frames from 0. "
        "Without it and --detector the whole image is one person.",
        main=True,
    )
    detector: str = setting(
        "",
        "What finds the people: an ONNX file of YOLOX, RTMDet, D-FINE, "
        "RT-DETR, DEIM or RF-DETR; opencv; or keras_hub:PRESET.",
        main=True,
    )
    person_class: int = setting(
        -1, "The detector's class of people; -1 is the usual one.", low=-1
    )
    out: str = setting(
        "poses",
        "Folder to write the drawings to, and joints.json, or of a video "
        "joints.jsonl; one of an earlier prediction is replaced.",
        main=True,
    )
    skeleton: str = setting(
        "",
        "What the joints are: a known name, or a skeleton.json; by default "
        "what the model says.",
        main=True,
    )
    batch_size: int = setting(16, "People per step.", low=1)
    flip_test: bool = setting(
        False,
        "Average each person with its mirror image (Section 6.1).",
        main=True,
    )
    min_box_score: float = setting(
        0.5,
        "Leave out boxes that the detector gave a lower score; a box without "
        "one stays.",
    )
    min_score: float = setting(
        0.0,
        "Draw only joints with at least this score.",
        low=0,
        high=1,
        main=True,
    )
    ellipses: bool = setting(
        False,
        "Draw where each joint is within one sigma; of models that integrate.",
    )
