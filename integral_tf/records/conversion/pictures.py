"""Finds the pictures or videos that labels name, and reads sizes."""

from __future__ import annotations

import collections
import functools
import itertools
import os
import pathlib
import unicodedata
from collections.abc import Collection
from collections.abc import Iterable

from integral_tf.records import photographs
from integral_tf.records import schema


class Pictures:
    """The pictures in a folder and in the folders inside it.

    Args:
        folder: The folder.
        endings: The endings of the files that count; those of pictures.
        videos: Paths of videos or of folders of videos, for `video`.

    Attributes:
        folder: Its path.

    Raises:
        FileNotFoundError: there is no such folder.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        endings: Collection[str] = photographs.ENDINGS,
        videos: Iterable[str | os.PathLike] = (),
    ) -> None:
        self.folder, self._endings = pathlib.Path(folder), endings
        self._videos = [pathlib.Path(path) for path in videos]
        self._known: dict[str, str | None] = {}
        if not self.folder.is_dir():
            raise FileNotFoundError(
                "--images is the folder of the labelled pictures. "
                f"Received: --images={str(folder)!r}"
            )

    @functools.cached_property
    def names(self) -> list[str]:
        """Paths from the folder to its pictures, with slashes, sorted."""
        return sorted(
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.suffix.lower() in self._endings
            and path.is_file()
            and photographs.is_within(path, self.folder)
        )

    @functools.cached_property
    def _by_end(self):
        found = collections.defaultdict(list)
        for name in self.names:
            last = _plain(name).rsplit("/", 1)[-1]
            found[last].append(name)
            found[last.rpartition(".")[0]].append(name)
        return found

    def find(self, name: str) -> str | None:
        """The path, from the folder, to the picture that labels call `name`.

        A file at that path is the picture. Otherwise it is the file of the same
        name, or of the same name and an ending, whose folders' names agree the
        furthest, if that is one only. Small and large letters are the same
        here, and so are the two forms of an umlaut.
        """
        if name not in self._known:
            self._known[name] = self._look(name.replace("\\", "/"))
        return self._known[name]

    def _look(self, name):
        path = self.folder / name
        # `pathlib` raises where a name is too long for a file.
        if photographs.is_within(path, self.folder) and os.path.isfile(path):
            return os.path.relpath(path, self.folder).replace(os.sep, "/")
        parts = _plain(name).split("/")[::-1]
        ranked = collections.defaultdict(list)
        for other in self._by_end.get(parts[0], ()):
            pairs = zip(parts[1:], _plain(other).split("/")[-2::-1])
            same = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
            ranked[len(list(same))].append(other)
        best = ranked[max(ranked)] if ranked else []
        return best[0] if len(best) == 1 else None

    @functools.cached_property
    def _looks(self):
        endings = photographs.VIDEO_ENDINGS
        return [Pictures(p, endings) for p in self._videos if p.is_dir()]

    def video(self, name: str) -> pathlib.Path | None:
        """The video that labels call `name`: the only one, or as in `find`."""
        for path in self._videos:
            if path.is_file():
                return path
        for look in self._looks:
            place = look.find(name)
            if place is not None:
                return look.folder / place
        return None

    def size(self, name: str) -> tuple[int, int] | None:
        """Width and height of a picture as shown; None if it is not readable.

        Args:
            name: As `find` returns it.
        """
        try:
            return photographs.shown_size(self.folder / name)
        except schema.Dropped:
            return None


def _plain(name):
    # Windows knows no case, and macOS writes an umlaut as two characters.
    return unicodedata.normalize("NFC", name).casefold()
