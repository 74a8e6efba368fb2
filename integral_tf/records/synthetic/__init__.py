"""Drawn people with MPII's joints, for training and tests without MPII.

A body is posed in three dimensions and drawn tube by tube into a picture and a
map of depths, which decides which tube hides another. Nothing here is from the
paper: every number is ours.

chance        the two distributions of random numbers
postures      the angles that legs, spine and arms take
body          bones and their lengths (`BONES`), put together in a pose
render        a tube with a texture, painted into a picture
cloth         the thickness and clothes of limbs (`LIMBS`), and all colours
background    places, patterns and things behind people
photograph    one person's picture: placement, occluder, camera

The same seed gives the same bytes. Any change of the number or order of random
draws changes every person.
"""

from integral_tf.records.synthetic.photograph import check_levers
from integral_tf.records.synthetic.photograph import LEVERS
from integral_tf.records.synthetic.photograph import person

__all__ = ["LEVERS", "check_levers", "person"]
