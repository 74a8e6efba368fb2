"""Frames of videos as pictures: their names, and their files where none are.

Frames are counted from the first that the video shows; nothing is found by its
time. A video is turned as its file says, as players and labelling tools do.
"""

from __future__ import annotations

import collections
import contextlib
import pathlib
import shutil
from collections.abc import Iterator

import numpy as np

from integral_tf import progress
from integral_tf import whole
from integral_tf.records import schema
from integral_tf.records.conversion import annotations as of
from integral_tf.records.conversion import pictures as pictures_of

_UNKNOWN = "frame that its video does not have"


class Videos:
    """Names pictures after frames of videos.

    Args:
        pictures: The `pictures.Pictures` that may be such frames already.
        videos: The videos' paths or names in the labels.
    """

    def __init__(self, pictures, videos):
        self._pictures = pictures
        self._stems = _stems(dict.fromkeys(videos))

    def picture(self, frame, also=(), **fields):
        """The `Picture` of a frame.

        Args:
            frame: The `annotations.Frame`.
            also: More names that its file may have.
            **fields: More fields of the picture.

        Returns:
            The picture that is there, as clip_000012.png, clip/000012.png or of
            a name in `also`, or else the first of these names.
        """
        stem = self._stems[frame.video]
        names = [f"{stem}{mark}{frame.number:06d}.png" for mark in "_/"]
        found = filter(None, map(self._pictures.find, (*names, *also)))
        return of.Picture(next(found, names[0]), frame=frame, **fields)


def _stems(videos):
    """A name for each video: its own, after those of its folders if need be."""
    parts, names = [], []
    for video in videos:
        *folders, last = video.replace("\\", "/").split("/")
        stem = last.rpartition(".")[0] or last or "video"
        parts.append([*filter(None, folders), stem])
    for depth in range(1, max(map(len, parts), default=0) + 1):
        names = ["_".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return dict(zip(videos, names))
    return {v: f"{n}_{name}" for n, (v, name) in enumerate(zip(videos, names))}


@contextlib.contextmanager
def taken(
    found: of.Annotations,
    pictures: pictures_of.Pictures,
    source: pathlib.Path,
    folder: pathlib.Path,
    video: str = "",
) -> Iterator[tuple[of.Annotations, pictures_of.Pictures]]:
    """Makes pictures of the labelled frames of the videos that are there.

    Args:
        found: The labels.
        pictures: The pictures that are there. Where some labels are of these,
            they are copied to the frames.
        source: Path of the labels.
        folder: Path of the new folder of pictures, which appears if the block
            succeeds and there is any frame to write.
        video: Path of the video, or of a folder of videos, in which `pictures`
            looks; empty if nobody asked for one.

    Yields:
        The labels, without the pictures of frames that a video does not have,
        which are counted; and the pictures, of the new folder if there is one.

    Raises:
        FileExistsError: there is such a folder.
        FileNotFoundError: a folder of videos lacks one.
        ValueError: a video cannot be decoded, or the labels name none.
    """
    groups = collections.defaultdict(dict)
    for picture in found.pictures:
        if picture.frame and pictures.find(picture.name) is None:
            frame = picture.frame
            key = frame.video, frame.dataset
            groups[key].setdefault(frame.number, picture.name)
    paths = _paths(list(groups), pictures, source, video)
    if not paths:
        yield found, pictures
        return
    sentence = "The frames of a video become pictures in a new folder."
    with whole.folder(folder, taken=sentence) as partial:
        written = _write(groups, paths, partial)
        kept = []
        for picture in found.pictures:
            frame = picture.frame
            key = (frame.video, frame.dataset) if frame else None
            place = pictures.find(picture.name)
            if place is not None:
                _copy(pictures.folder / place, partial / picture.name)
            elif key in paths and picture.name not in written:
                found.left_out.add(
                    schema.Dropped(_UNKNOWN, f"{frame.number} of {frame.video}")
                )
                continue
            kept.append(picture)
        yield found.of(kept), pictures_of.Pictures(partial)


def _paths(keys, pictures, source, video):
    """Dict from a video, and a dataset of a .slp, to the path of its file."""
    if video and not keys:
        raise ValueError(
            "--video is for labels of frames that are no pictures yet. "
            f"Received: --video={video!r}"
        )
    paths = {key: source for key in keys if key[1]}
    films = [key for key in keys if not key[1]]
    if video and pathlib.Path(video).is_file() and len(films) != 1:
        raise ValueError(
            "--video is a folder where labels are of several videos: "
            f"{', '.join(name for name, _ in films) or 'none'}. "
            f"Received: --video={video!r}"
        )
    for key in films:
        place = pictures.video(key[0])
        if place is not None:
            paths[key] = place
        elif video:
            raise FileNotFoundError(
                f"--video is a folder with {key[0]}. "
                f"Received: --video={video!r}"
            )
    return paths


def _copy(file, to):
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, to)


def _write(groups, paths, folder):
    """Writes the frames; returns the names of the pictures."""
    import cv2

    names = set()
    total = sum(max(groups[key]) + 1 for key in paths)
    with progress.bar("read", total, unit="frames") as bar:
        for key, path in paths.items():
            wanted = groups[key]
            read = _of_dataset if key[1] else _of_video
            for number, frame in read(path, key[1], set(wanted), bar):
                if not cv2.imwrite(str(folder / wanted[number]), frame):
                    raise OSError(
                        "A picture of a frame cannot be written here. "
                        f"Received: {wanted[number]}"
                    )
                names.add(wanted[number])
    return names


def size(path: pathlib.Path) -> tuple[int, int] | None:
    """Width and height of a video's frames; None if it cannot be decoded."""
    import cv2

    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    there, frame = capture.read()
    capture.release()
    return (frame.shape[1], frame.shape[0]) if there else None


def _of_video(path, dataset, numbers, bar):
    """Numbers and `(H, W, 3)` uint8 BGR frames, in order."""
    import cv2

    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    count, last = 0, max(numbers)
    try:
        # Counted: a place that is found by its time may be a frame off.
        while count <= last and capture.grab():
            if count in numbers:
                there, frame = capture.retrieve()
                if there:
                    yield count, frame
            count += 1
            bar.update()
    finally:
        capture.release()
    if not count:
        raise ValueError(
            "OpenCV cannot decode the video: it is damaged or of a format "
            f"unknown here. Received: {path}"
        )


def _of_dataset(path, dataset, numbers, bar):
    """As `_of_video`, of the frames that a .slp has in itself."""
    import h5py

    try:
        with h5py.File(path) as file:
            stored = file[dataset]
            places = file[f"{dataset.rpartition('/')[0]}/frame_numbers"][()]
            for place, number in enumerate(map(int, places)):
                if number in numbers:
                    yield number, _decoded(stored, place, file)
    # h5py raises of many kinds where a file is damaged.
    except (LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(
            "The frames inside the .slp cannot be read. "
            f"Received: {dataset} in {path}, {error}"
        ) from None
    bar.update(max(numbers) + 1)


def _decoded(stored, place, file):
    import cv2

    data = np.asarray(stored[place])
    if data.ndim > 1:  # as it is, in RGB
        return np.ascontiguousarray(data[..., ::-1])
    frame = cv2.imdecode(data.astype(np.uint8), cv2.IMREAD_COLOR)
    if frame is None:
        raise ValueError(f"frame {place} is no picture")
    # SLEAP gives OpenCV, which stores BGR, an RGB frame.
    version = float(file["metadata"].attrs.get("format_id", 1.0))
    order = stored.attrs.get("channel_order", "BGR" if version < 1.4 else "RGB")
    return frame if order == "RGB" else np.ascontiguousarray(frame[..., ::-1])
