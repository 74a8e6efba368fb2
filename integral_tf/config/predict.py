"""Settings of `integral-tf predict`."""

import dataclasses

from integral_tf import settings
from integral_tf.settings import setting


@dataclasses.dataclass(frozen=True)
class PredictConfig(settings.Checked):
    """Joints on photographs, a video, a camera or a stream."""

    model: str = setting(
        "",
        "A model.keras; or the folder of a run, or of a version that "
        "`integral-tf export` published. Empty takes the starter model, which "
        "comes with the package.",
        main=True,
    )
    images: str = setting(
        "",
        "A photograph, a folder of them, or a video; the number of a camera, "
        "the first is 0; or the address of a stream, such as rtsp://HOST/PATH.",
        required=True,
        place=1,
    )
    boxes: str = setting(
        "",
        "File of the people's boxes: a .csv with "
        "file_name,x,y,width,height,score; or COCO's annotations or results, "
        "[{file_name or image_id, bbox: [x, y, w, h], score}]; for a video "
        "[{frame, bbox, score}], frames from 0. Without --boxes and --detector "
        "the whole image is one person.",
        main=True,
    )
    detector: str = setting(
        "",
        "Detector that finds the people: an ONNX file of YOLOX, RTMDet, "
        "D-FINE, RT-DETR, DEIM or RF-DETR; opencv; or keras_hub:PRESET.",
        main=True,
    )
    person_class: int = setting(
        -1,
        "Number of the detector's class of people; -1 is the usual number.",
        low=-1,
    )
    out: str = setting(
        "poses",
        "Folder to write the drawings and joints.json to, or joints.jsonl for "
        "a video. A folder of an earlier prediction is replaced.",
        main=True,
    )
    skeleton: str = setting(
        "",
        "Skeleton of the joints: a known name, or a skeleton.json; empty takes "
        "the model's own.",
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
        "Leave out boxes with a lower score; boxes without a score stay.",
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
        "Draw each joint's one-sigma ellipse; only for a Keras model that "
        "integrates.",
    )
    seconds: float = setting(
        0.0,
        "End a video, a camera or a stream after this time; 0 does not. A "
        "camera also ends by Ctrl-C, and what was done is kept.",
        low=0,
    )
    show: bool = setting(
        False,
        "Show the drawn frames in a window; q ends.",
    )
    track: bool = setting(
        False,
        "Give the people of a film numbers that they keep, and draw them.",
        main=True,
    )
    detect_every: int = setting(
        1,
        "Look for people in every n-th frame, and between in the boxes around "
        "their last poses; above 1 includes --track.",
        low=1,
    )
    lost: float = setting(
        1.0,
        "Seconds for which a tracked person who is not found is remembered; "
        "another number includes --track.",
        low=0,
    )
    smooth: str = setting(
        "none",
        "Smooth the joints of tracked people; includes --track. one_euro: "
        "frame by frame. kalman: a video's file in two passes, each joint by "
        "its covariance.",
        choices=("none", "one_euro", "kalman"),
        main=True,
    )

    @property
    def tracks(self) -> bool:
        """Whether people are tracked."""
        return (
            self.track
            or self.detect_every > 1
            or self.lost != 1
            or self.smooth != "none"
        )
