"""The card that `integral-tf export` wrote, and the digests of its files."""

import json
import os
import pathlib

from integral_tf.records import file_digest

CARD = "card.json"


def read_card(folder: str | os.PathLike) -> dict:
    """Reads the card in a version's folder.

    Returns:
        The content of `card.json`; an empty dict if there is no such file.

    Raises:
        ValueError: the card is damaged.
    """
    path = pathlib.Path(folder) / CARD
    if not path.is_file():
        return {}
    try:
        card = json.loads(path.read_bytes())
        valid = isinstance(card, dict) and isinstance(_digests(card), dict)
        reason = "it is no card"
    except (ValueError, RecursionError) as error:
        valid, reason = False, error
    if not valid:
        raise ValueError(
            f"{path} is damaged; copy the version again, or export again: "
            f"{reason!s:.200}"
        )
    return card


def check(folder: str | os.PathLike, card: dict) -> None:
    """Requires that the files are those that were published.

    Checks nothing if the card is older than digests, and passes over missing
    files: the reader of such a file raises.

    Args:
        folder: The version's folder.
        card: The folder's card, from `read_card`.

    Raises:
        ValueError: a file was altered, or is outside the folder.
    """
    for name, wanted in _digests(card).items():
        path = pathlib.Path(folder) / name
        parts = pathlib.PurePath(name)
        if parts.is_absolute() or ".." in parts.parts:
            raise ValueError(
                f"The {CARD} of a version names files of its folder only. "
                f"Received: {name!r:.200} in {pathlib.Path(folder) / CARD}"
            )
        if path.is_file() and (found := file_digest.of(path)) != wanted:
            raise ValueError(
                f"{path} is not the file that was published with the "
                f"{CARD} beside it; copy the version again, or export again. "
                f"Received: sha256={found}, published with {wanted!r:.80}"
            )


def _digests(card):
    return card.get("sha256", {})
