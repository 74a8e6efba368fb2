"""`integral-tf convert`: finds the format, reads, and writes another."""

import collections
import contextlib
import json
import pathlib

from integral_tf.records import schema
from integral_tf.records.conversion import coco_file
from integral_tf.records.conversion import cvat
from integral_tf.records.conversion import deeplabcut
from integral_tf.records.conversion import frames
from integral_tf.records.conversion import label_studio
from integral_tf.records.conversion import labelme
from integral_tf.records.conversion import mtfl
from integral_tf.records.conversion import pictures as pictures_of
from integral_tf.records.conversion import predictions
from integral_tf.records.conversion import pts
from integral_tf.records.conversion import sleap
from integral_tf.records.conversion import sleap_file
from integral_tf.records.conversion import wflw
from integral_tf.records.conversion import yolo

_READERS = {
    "cvat": cvat.read,
    "label_studio": label_studio.read,
    "yolo": yolo.read,
    "labelme": labelme.read,
    "deeplabcut": deeplabcut.read,
    "lightning_pose": deeplabcut.read,
    "sleap": sleap.read,
    "wflw": wflw.read,
    "mtfl": mtfl.read,
    "pts": pts.read,
}
_PREDICTIONS = "predictions"


def convert(config):
    """Converts labels or predictions, and prints the counts.

    Args:
        config: A `commands.convert.ConvertConfig`.

    Returns:
        The `annotations.Annotations` that were written.

    Raises:
        FileNotFoundError: there is no such source or folder of pictures.
        FileExistsError: `out` exists.
        ValueError: the source is in no known format, or damaged, or has no
            people.
    """
    source, out = pathlib.Path(config.source), pathlib.Path(config.out)
    if not source.exists():
        raise FileNotFoundError(
            "There is no such file or folder of labels. "
            f"Received: --source={config.source!r}"
        )
    if out.exists() or not out.name:
        raise FileExistsError(
            f"--out is a new file to write. Received: --out={config.out!r}"
        )
    name = config.format
    if name == "auto":
        name = recognise(source)
        print(f"format: {name}")
    near = source if source.is_dir() else source.parent
    folder = config.images or near
    if config.video and not pathlib.Path(config.video).exists():
        raise FileNotFoundError(
            "--video is the labelled video, or a folder of videos. "
            f"Received: --video={config.video!r}"
        )
    videos = [config.video] if config.video else [near, folder]
    pictures = pictures_of.Pictures(folder, videos=videos)
    if name == _PREDICTIONS:
        found = predictions.read(
            source, pictures, config.skeleton, config.video
        )
    else:
        found = _READERS[name](source, pictures)
    found = _of_split(found, config.split)
    if config.keyframes:
        found = _of_keyframes(found)
    _check(found, config, name)
    out.parent.mkdir(parents=True, exist_ok=True)
    if config.to == "coco":
        found = _write_coco(found, pictures, config, name)
    else:
        writers = {"deeplabcut": deeplabcut.write, "sleap": sleap_file.write}
        writers[config.to](found, out)
        print(f"pictures: {len(found.pictures)}, people: {len(found.people)}")
    for reason, (count, example) in found.left_out.rows.items():
        print(f"{count} left out: {reason} (first: {example})")
    print(f"labels: {out}")
    return found


def recognise(source: pathlib.Path) -> str:
    """The name of a source's format.

    Raises:
        ValueError: no format is like it.
    """
    name = _of_folder(source) if source.is_dir() else _of_file(source)
    if name == "coco":
        raise ValueError(
            "This is COCO's form already: give it to `integral-tf build-coco "
            f"--train_annotations`. Received: --source={str(source)!r}"
        )
    if name is None:
        raise ValueError(
            "No known format is like this: --format is one of "
            f"{', '.join(_READERS)}, {_PREDICTIONS}. "
            f"Received: --source={str(source)!r}"
        )
    return name


def _of_folder(source):
    if yolo.described_by(source):
        return "yolo"
    if deeplabcut.tables_in(source):
        return "deeplabcut"
    if wflw.lists_in(source):
        return "wflw"
    if mtfl.lists_in(source):
        return "mtfl"
    if pts.files_in(source):
        return "pts"
    paths = sorted(source.rglob("*.json"))
    return "labelme" if any(labelme.is_of(_json(p)) for p in paths) else None


def _of_file(source):
    ending = source.suffix.lower()
    by_ending = {".slp": "sleap", ".h5": "deeplabcut", ".xml": "cvat"}
    by_ending |= {".jsonl": _PREDICTIONS, pts.ENDING: "pts"}
    if ending in by_ending:
        return by_ending[ending]
    if ending in (".yaml", ".yml") and yolo.described_by(source):
        return "yolo"
    if ending == ".txt" and wflw.is_of(source):
        return "wflw"
    if ending == ".txt" and mtfl.is_of(source):
        return "mtfl"
    if ending == ".csv" and deeplabcut.is_of(source):
        return "deeplabcut"
    if ending == ".json":
        content = _json(source)
        tests = {
            "labelme": labelme.is_of,
            "label_studio": label_studio.is_of,
            _PREDICTIONS: predictions.is_of,
            "coco": lambda content: (
                isinstance(content, dict)
                and {"images", "categories"} <= set(content)
            ),
        }
        return next((n for n, test in tests.items() if test(content)), None)
    return None


def _json(path):
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None


def _check(found, config, name):
    if not found.people:
        reasons = "; ".join(
            f"{count} {reason}"
            for reason, (count, _) in found.left_out.rows.items()
        )
        raise ValueError(
            f"Nobody is labelled{f' ({reasons})' if reasons else ''}. "
            f"Received: --source={config.source!r}, format {name}"
        )


def _of_split(found, split):
    """The part of a split; all without one."""
    counts = collections.Counter(picture.split for picture in found.pictures)
    if not split:
        named = [name for name in counts if name]
        if len(named) > 1:
            print(
                f"pictures of several splits, {', '.join(sorted(named))}: "
                "--split converts one"
            )
        return found
    if split not in counts:
        known = ", ".join(sorted(name for name in counts if name))
        raise ValueError(
            f"The source has the splits {known or '(none)'}. "
            f"Received: --split={split}"
        )
    return found.of(p for p in found.pictures if p.split == split)


def _of_keyframes(found):
    """The part without frames between those that are set by hand."""
    kept = []
    for picture in found.pictures:
        if picture.frame is None or picture.frame.is_keyframe:
            kept.append(picture)
        else:
            found.left_out.add(
                schema.Dropped("frame between keyframes", picture.name)
            )
    return found.of(kept)


def _write_coco(found, pictures, config, name):
    out, source = pathlib.Path(config.out), pathlib.Path(config.source)
    folder = out.with_name(f"{out.stem}_frames")
    taken = contextlib.nullcontext((found, pictures))
    # Beside predictions is the film in which they are drawn.
    if name != _PREDICTIONS or config.video:
        taken = frames.taken(found, pictures, source, folder, config.video)
    with taken as (kept, there):
        _check(kept, config, name)
        images, people, missing = coco_file.write(kept, there, out)
    folder = pictures.folder if there is pictures else folder
    for category in found.categories:
        joints = ", ".join(category.keypoints)
        print(f"{category.name}: {joints or 'joints without names'}")
    print(f"pictures: {images}, people: {people}")
    if missing:
        names = set(missing)
        of_films = any(p.frame and p.name in names for p in kept.pictures)
        video = ", --video their video" if of_films else ""
        print(
            f"{len(missing)} pictures are not in {folder}, such as "
            f"{missing[0]}: --images names their folder{video}"
        )
    print(f"pictures: {folder}")
    return kept
