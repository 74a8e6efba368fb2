"""Coordinate conventions of other libraries, for `coordinates`.

Each function takes the map's size in `cells` and the stride, and returns the
coordinate of the centre of heat-map pixel 0 and the step to the next pixel.
docs/conventions.md shows them.
"""

OF_LIBRARIES = {
    "authors": lambda cells, stride: (-0.5, 1 / cells),
    "dsntnn": lambda cells, stride: (1 / cells - 1, 2 / cells),
    "kornia": lambda cells, stride: (-1, 2 / (cells - 1)),
    "mmpose": lambda cells, stride: (0, stride),
    "mmpose_unit": lambda cells, stride: (0, 1 / cells),
    "mmpose_udp": lambda cells, stride: (0, stride * cells / (cells - 1)),
    "mmpose_udp_label": lambda cells, stride: (
        0,
        (stride * cells - 1) / (cells - 1),
    ),
    # y runs upwards.
    "paz": lambda cells, stride: (
        (1 / cells - 1) * [1, -1],
        2 / cells * [1, -1],
    ),
    "paz_pixels": lambda cells, stride: (stride / 2, stride),
}
