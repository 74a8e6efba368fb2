"""Left and right in joint names: finds the pairs that mirroring exchanges.

A name is split into words: `front_left_paw`, `frontLeftPaw`, `Front Left Paw`
and `front.left.paw` are the same. The words left, right, l and r are sides.
Part of a word is not a side, as in bright, heel or ear, with one exception:
left or right at a word's beginning or end, if the other name exists, too, as in
lefteye and righteye.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Sequence

# Of several capitals the last begins the next word: LEye is L, Eye.
_WORD = re.compile(
    r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|(?:(?![A-Za-z])[^\W\d_])+"
)
_JOINED = re.compile(r"^(left|right)|(left|right)$")
_OTHER = {"left": "right", "right": "left", "l": "r", "r": "l"}


def pairs(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Finds pairs of names that differ only in their side.

    Args:
        names: The joints' names.

    Returns:
        Tuple of pairs of names, left before right; no name is in two pairs.
    """
    known, found = {}, {}
    for name in names:
        known.setdefault(words(name), name)
    for name in names:
        if name in found:
            continue
        for other, is_left in _mirrored(words(name)):
            partner = known.get(other)
            if partner not in (None, name) and partner not in found:
                found[name], found[partner] = (partner, is_left), None
                break
    made = [(name, *value) for name, value in found.items() if value]
    return tuple(
        (name, other) if is_left else (other, name)
        for name, other, is_left in made
    )


def unpaired(names: Iterable[str], sides: Iterable[Iterable[str]]) -> list[str]:
    """Lists names that have a side, but are in none of the pairs `sides`."""
    paired = {name for pair in sides for name in pair}
    return [
        name
        for name in names
        if name not in paired and not set(words(name)).isdisjoint(_OTHER)
    ]


def doubtful(
    names: Iterable[str], sides: Iterable[Iterable[str]]
) -> list[tuple[str, str]]:
    """Finds pairs of unpaired names that differ only in a letter l or r.

    For example lhip and rhip, or paw_FL and paw_FR. They may be two sides, but
    the letter is part of a word.

    Args:
        names: The joints' names.
        sides: Known pairs of names; their names are not in the result.
    """
    paired = {name for pair in sides for name in pair}
    alone = [name for name in names if name not in paired]
    return [
        (name, name[:i] + other + name[i + 1 :])
        for name in alone
        for i, letter in enumerate(name)
        if (other := {"l": "r", "L": "R"}.get(letter))
        and name[:i] + other + name[i + 1 :] in alone
    ]


def without(name: str) -> str:
    """A name without its sides, its words joined by an underscore.

    >>> without("left_wrist"), without("frontLeftPaw")
    ('wrist', 'front_paw')
    """
    return "_".join(word for word in words(name) if word not in _OTHER)


def words(name: str) -> tuple[str, ...]:
    """The words of a name, in small letters.

    >>> words("frontLeftPaw")
    ('front', 'left', 'paw')
    """
    return tuple(word.lower() for word in _WORD.findall(name))


def _mirrored(words):
    """Possible names of the other side, as words; and whether this is the left.

    Either all sides in the name change, as in `left_eye_right_corner`, or one.
    """
    places = [i for i, word in enumerate(words) if word in _OTHER]
    choices = [places, *([i] for i in places)]
    for some in choices if len(places) > 1 else choices[:1]:
        if some:
            other = [_OTHER[w] if i in some else w for i, w in enumerate(words)]
            yield tuple(other), words[some[0]] in ("left", "l")
    for i, word in enumerate(words):
        side = _JOINED.search(word) if word not in _OTHER else None
        if side:
            side = side.group()
            other = word[: -len(side)] + _OTHER[side]
            if word.startswith(side):
                other = _OTHER[side] + word[len(side) :]
            yield (*words[:i], other, *words[i + 1 :]), side == "left"
