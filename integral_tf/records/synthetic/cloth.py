"""The looks of a posed body: thickness of limbs, clothes, skin and hair.

`LIMBS` has the thickness and clothes of each limb. `any_colour`,
`SHOP_COLOURS`, `BROWN` and `SKIN_TONES` determine the colours.

A colour is `(3,)` RGB from 0 to 255. A texture is `(T, T, 3)` RGB, T texels per
side, as in `render.Tube`: rows from a tube's start to its end, columns around
it from the back. Lengths are in body heights.
"""

from __future__ import annotations

import colorsys
import dataclasses
from typing import NamedTuple

import cv2
import numpy as np

from integral_tf.records.synthetic import body
from integral_tf.records.synthetic import chance
from integral_tf.records.synthetic import render

Around = chance.Around
Between = chance.Between
TEXELS = render.TEXELS


class Limb(NamedTuple):
    """The limb around a bone.

    Attributes:
        start_radius: Half the limb's width at the bone's start.
        end_radius: Half the limb's width at the bone's end.
        surface: One of `_surfaces`.
    """

    start_radius: float
    end_radius: float
    surface: str


# By the joint at the bone's end; `body.BONES` has the lengths.
LIMBS = {
    "shoulder": Limb(0.03, 0.03, "shirt"),
    "elbow": Limb(0.036, 0.028, "upper sleeve"),
    "wrist": Limb(0.028, 0.018, "lower sleeve"),
    "hand": Limb(0.02, 0.021, "skin"),
    "hip": Limb(0.052, 0.052, "upper trouser leg"),
    "knee": Limb(0.056, 0.037, "upper trouser leg"),
    "ankle": Limb(0.038, 0.023, "lower trouser leg"),
    "toes": Limb(0.026, 0.023, "shoe"),
}
# A person's factor on the radii of limbs and torso.
GIRTH = Between(0.85, 1.3)
# The torso's radius at the pelvis and at the thorax; its depth divided by its
# width.
WAIST_RADIUS = Between(0.085, 0.11)
CHEST_RADIUS = Between(0.105, 0.12)
TORSO_DEPTH = 0.62
TORSO_CAP = 0.03
NECK_RADIUS = 0.033
NECK_CAP = 0.02
# The skull's radius at the chin and at the crown. It is round: its axis ends
# a little less than a radius short of either.
CHIN_RADIUS = 0.052
CROWN_RADIUS = 0.06
CHIN_ABOVE_NECK = 0.05
CROWN_ABOVE_HEAD_TOP = 0.06
SKULL_DEPTH = 1.15
# The hair is a second skull behind the first: distance of its start below the
# first one's at the chin, of its end below the crown, and distance to the back.
HAIR_STARTS_BELOW = Between(-0.06, 0.12)
HAIR_ENDS_BELOW = 0.02
HAIR_BEHIND = 0.03
NAPE_RADIUS = 0.05
HAIR_TOP_RADIUS = 0.057

# RGB of the lightest, a middle and the darkest skin; a person's is a mixture.
SKIN_TONES = np.float32([(250, 214, 185), (205, 150, 110), (105, 68, 48)])
# RGB of everyday clothes: whites and greys, black, jeans, sand, red, green ...
SHOP_COLOURS = np.float32([
    (235, 235, 232), (205, 205, 200), (130, 130, 130), (35, 35, 38),
    (18, 18, 20), (45, 60, 95), (70, 90, 130), (110, 90, 65), (150, 30, 35),
    (30, 80, 50), (195, 175, 140), (40, 70, 140),
])  # fmt: skip
# RGB of brown hair relative to its brightness, and the brightness.
BROWN = np.array([1.1, 0.85, 0.6])
BROWN_BRIGHTNESSES = (10, 25, 60, 150)
# Factor that darkens hair of other colours.
HAIR_SHADE = Between(0.15, 0.9)
# Length of sleeves and trouser legs: 1 ends at the elbow or knee, 2 at the
# wrist or ankle.
SLEEVE_LENGTHS = (0.1, 0.6, 1.6, 2)
TROUSER_LENGTHS = (0.4, 0.9, 1.9, 2)
# Share of people with a badge on the chest.
BADGE_SHARE = 0.6
EVERYDAY_BADGE_SHARE = 0.25
# Everyday clothes: shares of people whose shirt, trousers and hair have
# everyday colours; and the share of these who wear a shirt at all.
EVERYDAY_SHIRT_SHARE = 0.75
EVERYDAY_TROUSERS_SHARE = 0.8
EVERYDAY_HAIR_SHARE = 0.7
SHIRT_WORN_SHARE = 0.8
# Folds multiply the brightness by 1 plus one of these numbers, in a grid with
# this number of cells per side.
FOLDS = Around(0, 0.13)
FOLDS_CELLS = 6
# Texels of a figure's hoops, stripes and checks.
FIGURE_STEPS = (2, 4, 8)
# Shares of cloth with one colour, hoops, stripes, checks, dots, patches.
FIGURE_SHARES = (0.3, 0.18, 0.12, 0.15, 0.12, 0.13)

_ROW, _COLUMN = np.mgrid[:TEXELS, :TEXELS]
# The middle of the front is between two columns of texels.
_FRONT = TEXELS / 2 - 0.5
_LIPS = (150, 50, 50)


@dataclasses.dataclass(frozen=True)
class _Outfit:
    """One person's girth, colours and clothes.

    Attributes:
        girth: Factor on the radii.
        skin: Colour of the skin.
        hair: Colour of the hair.
        shoe: Colour of the shoes.
        shirt: Texture of the shirt.
        trousers: Texture of the trousers.
        everyday: Whether clothes are folded, and seldom have a badge.
    """

    girth: float
    skin: np.ndarray
    hair: np.ndarray
    shoe: np.ndarray
    shirt: np.ndarray
    trousers: np.ndarray
    everyday: bool


def dressed(
    rng: np.random.Generator, pose: body.Pose, *, everyday: bool = False
) -> list[render.Tube]:
    """The tubes of a posed body, in body heights.

    Args:
        rng: Draws colours, lengths of sleeves and so on.
        pose: The pose of the limbs.
        everyday: Whether most clothes have everyday colours and folds, and some
            people have no shirt.
    """
    outfit = _outfit(rng, everyday)
    return [
        *_limbs(rng, pose, outfit),
        _torso(rng, pose, outfit),
        _neck(rng, pose, outfit),
        *_head(rng, pose, outfit),
    ]


def any_cloth(rng: np.random.Generator) -> np.ndarray:
    """A texture of one colour, hoops, stripes, checks, dots or patches."""
    step = rng.choice(FIGURE_STEPS)
    hoops = _ROW // step % 2
    stripes = _COLUMN // step % 2
    from_centre = (_ROW % 8 - 4) ** 2 + (_COLUMN % 8 - 4) ** 2
    dots = from_centre < 1.5 * step
    patches = rng.random((8, 8)).repeat(4, 0).repeat(4, 1) < 0.4
    figures = (0 * _ROW, hoops, stripes, hoops ^ stripes, dots, patches)
    figure = figures[rng.choice(len(figures), p=FIGURE_SHARES)]
    colours = np.float32([any_colour(rng), any_colour(rng)])
    return colours[figure.astype(int)]


def any_colour(rng: np.random.Generator) -> list[float]:
    """A random colour of any hue, neither black nor very bright."""
    hue, saturation, value = rng.random(3)
    saturation *= 0.9
    value = 0.85 * value + 0.15
    return [
        255 * share for share in colorsys.hsv_to_rgb(hue, saturation, value)
    ]


def _outfit(rng, everyday):
    girth = GIRTH.draw(rng)
    skin = rng.dirichlet(np.ones(len(SKIN_TONES))) @ SKIN_TONES
    hair = np.multiply(any_colour(rng), HAIR_SHADE.draw(rng))
    shirt = any_cloth(rng)
    trousers = any_cloth(rng)
    shoe = np.array(any_colour(rng))
    outfit = _Outfit(girth, skin, hair, shoe, shirt, trousers, everyday)
    return _everyday(rng, outfit) if everyday else outfit


def _everyday(rng, outfit):
    """Gives an outfit everyday shoes, and mostly everyday clothes."""
    shirt = outfit.shirt
    trousers = outfit.trousers
    hair = outfit.hair
    if rng.random() < EVERYDAY_SHIRT_SHARE:
        worn = rng.random() < SHIRT_WORN_SHARE
        shirt = _plain(_shop_colour(rng) if worn else outfit.skin)
    if rng.random() < EVERYDAY_TROUSERS_SHARE:
        trousers = _plain(_shop_colour(rng))
    shoe = _shop_colour(rng)
    if rng.random() < EVERYDAY_HAIR_SHARE:
        hair = rng.choice(BROWN_BRIGHTNESSES) * BROWN
    return dataclasses.replace(
        outfit, shirt=shirt, trousers=trousers, shoe=shoe, hair=hair
    )


def _shop_colour(rng):
    colour = SHOP_COLOURS[rng.integers(len(SHOP_COLOURS))]
    fading = rng.uniform(0.8, 1.1)
    return colour * fading


def _plain(colour):
    """A texture of one colour; a texture is copied."""
    return np.full((TEXELS, TEXELS, 3), colour, np.float32)


def _folded(rng, texture):
    """Shades a texture unevenly."""
    shade = FOLDS.draw(rng, (FOLDS_CELLS, FOLDS_CELLS)).astype(np.float32)
    shade = cv2.resize(shade, (TEXELS, TEXELS), interpolation=cv2.INTER_CUBIC)
    return (texture * (1 + shade[..., None])).clip(0, 255)


def _tube(rng, outfit, ends, axes, radii, surface, **shape):
    """A `render.Tube` whose surface is a colour or a texture."""
    texture = _plain(surface)
    if outfit.everyday:
        texture = _folded(rng, texture)
    return render.Tube(np.stack(ends), axes, np.array(radii), texture, **shape)


def _surfaces(rng, outfit):
    """Dict of the surfaces that `LIMBS` names: colours and textures."""
    upper_sleeve, lower_sleeve = _cut_off(
        outfit.shirt, rng.choice(SLEEVE_LENGTHS), outfit.skin
    )
    upper_trouser_leg, lower_trouser_leg = _cut_off(
        outfit.trousers, rng.choice(TROUSER_LENGTHS), outfit.skin
    )
    return {
        "shirt": outfit.shirt,
        "upper sleeve": upper_sleeve,
        "lower sleeve": lower_sleeve,
        "skin": outfit.skin,
        "upper trouser leg": upper_trouser_leg,
        "lower trouser leg": lower_trouser_leg,
        "shoe": outfit.shoe,
    }


def _cut_off(cloth, length, skin):
    """Textures of a limb's upper and lower half, bare beyond `length`."""
    both = np.concatenate([cloth, cloth])
    both[int(length * TEXELS) :] = skin
    return np.split(both, 2)


def _limbs(rng, pose, outfit):
    surfaces = _surfaces(rng, outfit)
    for side in body.SIDES:
        for bone in body.BONES:
            limb = LIMBS[bone.end]
            end = side + bone.end
            yield _tube(
                rng,
                outfit,
                ends=(pose.start_of(bone, side), pose.points[end]),
                axes=pose.axes[end],
                radii=(
                    outfit.girth * limb.start_radius,
                    outfit.girth * limb.end_radius,
                ),
                surface=surfaces[limb.surface],
            )


def _torso(rng, pose, outfit):
    # The neckline, and often a badge, distinguish the chest from the back.
    texture = outfit.shirt.copy()
    texture[26:, 13:19] = outfit.skin
    share = EVERYDAY_BADGE_SHARE if outfit.everyday else BADGE_SHARE
    if rng.random() < share:
        badge = any_colour(rng)
        lowest = rng.integers(9, 16)
        texture[lowest:22, 12:20] = badge
    return _tube(
        rng,
        outfit,
        ends=(pose.points["pelvis"], pose.points["thorax"]),
        axes=pose.axes["thorax"],
        radii=(
            outfit.girth * WAIST_RADIUS.draw(rng),
            outfit.girth * CHEST_RADIUS.draw(rng),
        ),
        surface=texture,
        depth_over_width=TORSO_DEPTH,
        cap=TORSO_CAP,
    )


def _neck(rng, pose, outfit):
    return _tube(
        rng,
        outfit,
        ends=(pose.points["thorax"], pose.points["upper_neck"]),
        axes=pose.axes["thorax"],
        radii=(NECK_RADIUS, NECK_RADIUS),
        surface=outfit.skin,
        cap=NECK_CAP,
    )


def _head(rng, pose, outfit):
    """The tubes of skull and hair."""
    axes = pose.axes["head_top"]
    down = axes[:, 1]
    chin = pose.points["upper_neck"] - CHIN_ABOVE_NECK * down
    crown = pose.points["head_top"] + CROWN_ABOVE_HEAD_TOP * down
    skull = _tube(
        rng,
        outfit,
        ends=(chin, crown),
        axes=axes,
        radii=(CHIN_RADIUS, CROWN_RADIUS),
        surface=_face(rng, outfit),
        depth_over_width=SKULL_DEPTH,
    )
    nape = chin + axes @ (0, HAIR_STARTS_BELOW.draw(rng), -HAIR_BEHIND)
    hair_top = crown + axes @ (0, HAIR_ENDS_BELOW, -HAIR_BEHIND)
    hair = _tube(
        rng,
        outfit,
        ends=(nape, hair_top),
        axes=axes,
        radii=(NAPE_RADIUS, HAIR_TOP_RADIUS),
        surface=outfit.hair,
    )
    return skull, hair


def _face(rng, outfit):
    """A head's texture, chin first: mouth, eyes, and hair around them."""
    face = _plain(outfit.skin)
    face[9:11, 13:19] = _LIPS
    eyes = np.s_[17:20]
    face[eyes, [11, 13, 18, 20]] = 245
    face[eyes, [12, 19]] = 20
    hair_line = rng.integers(22, 27)
    face[_ROW > hair_line] = outfit.hair
    # Texels from the front's middle to the hair: fewer towards the crown.
    half_width = rng.uniform(6.5, 9.5) + (20 - _ROW) / 8
    beside = abs(_COLUMN - _FRONT) > half_width
    face[(_ROW > 5) & beside] = outfit.hair
    return face
