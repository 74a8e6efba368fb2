"""Drawn people with MPII's joints, to train and test on where MPII is not.

A body is posed in three dimensions and drawn tube by tube into a picture and a
map of depths; the depths say what hides what. Nothing here is from the paper:
every number is ours.

chance        the two ways in which a number is drawn at random
postures      the angles that legs, spine and arms take
body          bones and their lengths (`BONES`), put together in a pose
render        a tube with a texture, painted into a picture
cloth         how thick limbs are and what they wear (`LIMBS`), all colours
background    places, patterns and things behind people
photograph    one person's picture: where, what is in front, the camera

The same seed gives the same bytes: a number drawn more, fewer or in another
order changes every person.
"""

from integral_tf.records.synthetic.photograph import check_levers
from integral_tf.records.synthetic.photograph import LEVERS
from integral_tf.records.synthetic.photograph import person

__all__ = ["LEVERS", "check_levers", "person"]
