"""Left and right in the names of joints: who trades places in a mirror.

A name is words: `front_left_paw`, `frontLeftPaw`, `Front Left Paw` and
`front.left.paw` are one. The words left and right, and l and r, are sides. No
part of a longer word is one, as in bright, heel or ear, except where left or
right begins or ends a word and the other name is there too: lefteye, righteye.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Sequence

# Capitals are a word of their own but for the last, which begins the next one.
_WORD = re.compile(
    r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|(?:(?![A-Za-z])[^\W\d_])+"
)
_JOINED = re.compile(r"^(left|right)|(left|right)$")
_OTHER = {"left": "right", "right": "left", "l": "r", "r": "l"}


def pairs(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of names that differ in their side alone, the left one first.

    Args:
        names: The joints' names.

    Returns:
        Tuple of pairs of names; none is in two pairs.
    """
    known, found = {}, {}
    for name in names:
        known.setdefault(_words(name), name)
    for name in names:
        if name in found:
            continue
        for other, is_left in _mirrored(_words(name)):
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
    """Names that have a side, but are in none of the pairs `sides`."""
    paired = {name for pair in sides for name in pair}
    return [
        name
        for name in names
        if name not in paired and not set(_words(name)).isdisjoint(_OTHER)
    ]


def doubtful(
    names: Iterable[str], sides: Iterable[Iterable[str]]
) -> list[tuple[str, str]]:
    """Pairs of unpaired names that l and r alone tell apart.

    Such as lhip and rhip, or paw_FL and paw_FR: they may be two sides, but the
    letters are parts of words.

    Args:
        names: The joints' names.
        sides: Pairs of names that are known; none of these is told.
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


def _words(name):
    return tuple(word.lower() for word in _WORD.findall(name))


def _mirrored(words):
    """Names for the other side, as words, and whether this one is the left.

    All of a name's sides change, `left_eye_right_corner`, or else one of them.
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
