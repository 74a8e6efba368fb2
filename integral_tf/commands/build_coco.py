r"""Builds records from COCO's keypoint files, or your own in the same form.

    integral-tf build-coco --out=data/coco \
        --train_annotations=coco/annotations/person_keypoints_train2017.json \
        --train_images=coco/train2017 \
        --val_annotations=coco/annotations/person_keypoints_val2017.json \
        --val_images=coco/val2017 --image_size=256 --image_width=192

The flags of train or those of val may be left out; without those of val,
`--val_share` takes validation from the training images. Each person with
labelled keypoints becomes one record. With `--val_boxes`, a detector's result
file, the validation records have its boxes in place of the annotated ones; a
comparable AP needs them. The validation's ground truth is kept beside the
records. `--normalise_by=left_eye,right_eye` divides all errors by the distance
of two joints.
"""

from integral_tf import builds

CONFIG = builds.CocoConfig


def call(asked: builds.CocoConfig) -> None:
    from integral_tf.records import build_coco
    from integral_tf.records import shards

    print(shards.describe(build_coco.build_coco(asked)))
    print(f"records: {asked.out}")
