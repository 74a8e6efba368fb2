"""What `integral-tf export` wrote beside a network: card, digests of files."""

import hashlib
import json
import os
import pathlib

CARD = "card.json"
_BLOCK = 1 << 20  # bytes


def read_card(folder: str | os.PathLike) -> dict:
    """The card of a version's folder, empty where there is none.

    Raises:
        ValueError: it is damaged.
    """
    path = pathlib.Path(folder) / CARD
    if not path.is_file():
        return {}
    try:
        card = json.loads(path.read_bytes())
        whole = isinstance(card, dict) and isinstance(_digests(card), dict)
        reason = "it is no card"
    except (ValueError, RecursionError) as error:
        whole, reason = False, error
    if not whole:
        raise ValueError(
            f"{path} is damaged; copy the version again, or export again: "
            f"{reason}"
        )
    return card


def check(folder: str | os.PathLike, card: dict) -> None:
    """Requires that files are as they were when they were published.

    A card of before there were digests says nothing, and a file that is not
    there is not asked for: whoever needs it says so.

    Args:
        folder: The version's folder.
        card: Its card, from `read_card`.

    Raises:
        ValueError: a file was altered.
    """
    for name, wanted in _digests(card).items():
        path = pathlib.Path(folder) / name
        if path.is_file() and (found := digest(path)) != wanted:
            raise ValueError(
                f"{path} is not the file that was published with the "
                f"{CARD} beside it; copy the version again, or export again. "
                f"Received: sha256={found}, published with {wanted}"
            )


def digest(path: str | os.PathLike) -> str:
    """A file's sha256, in hexadecimal digits."""
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
    return sha256.hexdigest()


def _digests(card):
    return card.get("sha256", {})
