"""`integral-tf predict`: photographs or a film in, drawings and JSON out."""

import pathlib
from collections.abc import Sequence

from integral_tf import config as configs
from integral_tf import progress
from integral_tf import whole
from integral_tf.inference import addresses
from integral_tf.inference import answers as answers_of
from integral_tf.inference import boxes as boxes_of
from integral_tf.inference import draw
from integral_tf.inference import film
from integral_tf.inference import left_out
from integral_tf.inference import placement
from integral_tf.inference import video
from integral_tf.records import json_rows
from integral_tf.records import photographs
from integral_tf.records import schema

# File with the joints of photographs.
_JOINTS = "joints.json"
_UNREAD = "of an image that is not read"
_WANTED = (
    "a photograph, a folder of them "
    f"({', '.join(sorted(photographs.ENDINGS))}), a video "
    f"({', '.join(sorted(video.ENDINGS))}), the number of a camera, or the "
    f"address of a stream ({'://, '.join(addresses.PROTOCOLS)}://)"
)


def predict(config: configs.PredictConfig) -> Sequence[dict]:
    """Estimates, draws and writes the people of photographs or of a film.

    Unreadable images, and boxes of no image, are left out. The last line
    printed counts them with the reasons, and counts pictures in which nobody
    was found or no joint is sure. The output folder appears as a whole at the
    end. An interrupted prediction of photographs changes nothing; of a video
    that breaks off, or an interrupted one, the whole frames are kept.

    Args:
        config: A `config.PredictConfig`.

    Returns:
        `json_rows.Rows`, the list written to `joints.json`; for a video the
        list of the lines of `joints.jsonl`, one per frame; for a camera or a
        stream an empty list.

    Raises:
        FileNotFoundError: there is no such model, detector, image, or file of
            boxes.
        FileExistsError: `out` exists and is not an earlier prediction.
        BlockingIOError: another process is writing `out`.
        ImportError: a package that the model or the detector needs is not
            installed.
        ValueError: the file of boxes has an unknown form or no box of an
            image; `boxes` and `detector` are both given; no image is readable;
            or the video cannot be decoded.
        video.BrokenOff: the video breaks off; the frames before are in `out`.
        KeyboardInterrupt: Ctrl-C; its text says what is in `out`, if anything.
    """
    if config.boxes and config.detector:
        raise ValueError(
            "Boxes say where the people are, so no detector looks for them: "
            f"give one of the two. Received: --boxes={config.boxes!r}, "
            f"--detector={config.detector!r}"
        )
    out = _claimable(config.out, config.images)
    if film.is_film(config.images):
        return film.predict(config, out)
    flags = {
        "--show": config.show,
        "--track": config.track,
        f"--detect_every={config.detect_every}": config.detect_every > 1,
        f"--lost={config.lost:g}": config.lost != 1,
        f"--smooth={config.smooth}": config.smooth != "none",
        f"--seconds={config.seconds:g}": config.seconds,
    }
    asked = [flag for flag, is_asked in flags.items() if is_asked]
    # A missing file is named below.
    if asked and pathlib.Path(config.images).exists():
        raise ValueError(
            "Windows, tracks and a time to end are for a video, a camera or a "
            f"stream. Received: {', '.join(asked)}, "
            f"--images={addresses.shown(config.images)}"
        )
    return _predict_photographs(config, out)


def _predict_photographs(config, out):
    left = left_out.LeftOut()
    paths = placement.photographs(
        config.images, photographs.ENDINGS, left, wanted=_WANTED
    )
    rows, people = None, None
    if config.boxes:
        rows = boxes_of.read(config.boxes, "file_name or image_id")
    answers = answers_of.Answers(config)
    if rows is not None:
        people = placement.of_photographs(
            config, rows, paths, answers.skeleton.categories, left
        )
    results = json_rows.Rows()
    with whole.folder(out) as partial:
        for path, name in zip(
            progress.over(paths, "predict", unit="images"),
            draw.names_for(paths),
        ):
            boxed = None if people is None else people.get(path.name, [])
            try:
                image, notes = photographs.read_labelled(path)
            except schema.Dropped as reason:
                left.name("image", f"not read: {reason}", path)
                left.count("box", _UNREAD, path.name, number=len(boxed or []))
                continue
            if photographs.FIRST in notes:
                left.count("file", photographs.OF_SEVERAL, path.name)
            answer = answers(image, boxed)
            draw.save(answers.draw(image, answer), partial / name)
            answers.count(answer)
            for person, row in zip(answer.people, answer.rows()):
                image_id = placement.described(path, person.image_id)
                results.append({**image_id, **row})
        if not answers.pictures:
            raise ValueError(
                f"No image could be read, such as {paths[0]}{left.ending()}. "
                f"Received: --images={config.images!r}"
            )
        if rows is not None and not results:
            raise placement.nobody(
                config, rows, left, "any image that could be read"
            )
        json_rows.write(results, partial / _JOINTS)
    left.say(answers.summary("image"))
    print(f"pictures: {out}")
    print(f"joints: {out / _JOINTS}")
    return results


def _claimable(out, images):
    """Path of the output folder: a new one, or an earlier prediction's."""
    if not out:
        raise ValueError("Name a folder to write. Received: --out=")
    out, source = pathlib.Path(out), pathlib.Path(images).resolve()
    if out.resolve() in (source, *source.parents):
        raise FileExistsError(
            "`out` holds the pictures that are read, and would be replaced; "
            f"name a new folder. Received: --out={out}"
        )
    if out.exists() and (other := _other(out)):
        raise FileExistsError(
            f"`out` holds other things, such as {other}, and would be "
            f"replaced; name a new folder. Received: --out={out}"
        )
    return out


def _other(out):
    """Name of a file in a folder that no prediction wrote; may be empty."""
    if out.is_file():
        return out.name
    names = sorted(out.iterdir())
    if not any(path.name in (_JOINTS, film.LINES) for path in names):
        return names[0].name if names else ""
    ours = photographs.ENDINGS | video.ENDINGS | {".json", ".jsonl"}
    for path in names:
        if path.is_dir() or path.suffix.lower() not in ours:
            return path.name
    return ""
