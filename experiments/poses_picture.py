r"""Draws docs/figures/poses.jpg: the starter model's poses of synthetic people.

    python experiments/poses_picture.py --out=docs/figures/poses.jpg

The people have another seed than the model's training data. They are taken in
order from `--first` on, and not selected.
"""

import numpy as np
from absl import app
from absl import flags

from integral_tf.inference import draw
from integral_tf.inference import estimator
from integral_tf.records import synthetic
from integral_tf.records import windows

HEIGHT, WIDTH, COLUMNS = 400, 260, 5


def define_flags():
    """Defines this command's flags; not at import, since tests import it."""
    flags.DEFINE_string("out", None, "Picture to write.", required=True)
    flags.DEFINE_integer("seed", 7, "Seed of the people.")
    flags.DEFINE_integer("first", 0, "Number of the first person.")


def columns(estimate, seed, first):
    """Yields a picture of each person, with the pose drawn."""
    for index in range(first, first + COLUMNS):
        person = synthetic.person(seed, index, levers=synthetic.LEVERS)
        x, y, width, height = person.box
        # The person in the middle, an eighth of the height above and below.
        side = max(1.25 * height, 1.25 * width * HEIGHT / WIDTH)
        shape = side * WIDTH / HEIGHT, side
        corner = x + width / 2 - shape[0] / 2, y + height / 2 - shape[1] / 2
        image = np.asarray(
            windows.cut(person.image, (*corner, *shape), WIDTH, HEIGHT)
        )
        scale = HEIGHT / side
        box = (person.box[:2] - corner) * scale, person.box[2:] * scale
        poses = estimate(image, [np.concatenate(box)])
        yield draw.people(image, poses)


def main(argv):
    del argv
    given = flags.FLAGS
    estimate = estimator.PoseEstimator()
    row = list(columns(estimate, given.seed, given.first))
    draw.save(np.concatenate(row, axis=1), given.out)
    print(f"picture: {given.out}")


if __name__ == "__main__":
    define_flags()
    app.run(main)
