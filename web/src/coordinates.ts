// The package's coordinate convention, as `integral_tf/coordinates.py` has it.
//
// A pixel's centre has integer coordinates. A box is COCO's x, y, width,
// height, whose edges are counted from the picture's edge, so that a box's edge
// x is the coordinate x - 0.5 of a point.

export type Point = [number, number];
export type Box = [number, number, number, number];
/** Two rows of three numbers, which take (x, y, 1) to a point. */
export type Affine = [[number, number, number], [number, number, number]];

export const BOX_MARGIN = 1.25;
export const LARGEST_BOX = 1e5;

/** The box of the crop around a person's box; `aspect` is width / height. */
export function regionAround(box: Box, aspect: number): Box {
  const [x, y, w, h] = box;
  const height = Math.max(h, w / aspect) * BOX_MARGIN;
  const width = height * aspect;
  return [x + w / 2 - width / 2, y + h / 2 - height / 2, width, height];
}

/** The affine map from a picture of a box, in its pixels, to the box's frame. */
export function regionToPixels(
  box: Box,
  width: number,
  height: number,
): Affine {
  const [sx, tx] = sideToPixels(box[0], box[2], width);
  const [sy, ty] = sideToPixels(box[1], box[3], height);
  return [
    [sx, 0, tx],
    [0, sy, ty],
  ];
}

function sideToPixels(edge: number, length: number, pixels: number): Point {
  const factor = length / pixels;
  return [factor, edge + 0.5 * factor - 0.5];
}

export function apply(matrix: Affine, x: number, y: number): Point {
  const [first, second] = matrix;
  return [
    first[0] * x + first[1] * y + first[2],
    second[0] * x + second[1] * y + second[2],
  ];
}

/** A covariance in the frame that an affine map without turns leads to. */
export function applyToCovariance(matrix: Affine, spread: number[]): number[] {
  const sx = matrix[0][0];
  const sy = matrix[1][1];
  return [
    spread[0] * sx * sx,
    spread[1] * sx * sy,
    spread[2] * sx * sy,
    spread[3] * sy * sy,
  ];
}

/** A coordinate of a heat map in the crop; a cell spans `stride` pixels. */
export function heatmapToCrop(
  value: number,
  stride: number,
  cells: string,
): number {
  return cells === "first" ? value * stride : (value + 0.5) * stride - 0.5;
}

/** The box around points, enlarged by `margin`. */
export function boxAround(points: Point[], margin: number): Box {
  const sides = [0, 1].map((axis) => {
    const values = points.map((point) => point[axis]);
    const low = Math.min(...values);
    const high = Math.max(...values);
    // The box of a single point, or of points in a line, is one pixel wide.
    const size = Math.max((high - low) * margin, 1);
    return [(low + high) / 2 + 0.5 - size / 2, size];
  });
  return [sides[0][0], sides[1][0], sides[0][1], sides[1][1]];
}
