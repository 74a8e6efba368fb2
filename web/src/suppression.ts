// Non-maximum suppression, as `integral_tf/detection/suppression.py` has it.

/** Left, top, right and bottom edge. */
export type Corners = [number, number, number, number];

/** A box of a detector, by its corners. */
export interface Found {
  corners: Corners;
  score: number;
}

/** Of boxes that overlap by more than `most`, keeps the surest. */
export function suppress(found: Found[], most = 0.45): Found[] {
  const kept: Found[] = [];
  for (const each of [...found].sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => overlap(other.corners, each.corners) <= most)) {
      kept.push(each);
    }
  }
  return kept;
}

/** Intersection over union. */
export function overlap(first: Corners, second: Corners): number {
  const width = Math.min(first[2], second[2]) - Math.max(first[0], second[0]);
  const height = Math.min(first[3], second[3]) - Math.max(first[1], second[1]);
  const shared = Math.max(width, 0) * Math.max(height, 0);
  return shared / (area(first) + area(second) - shared);
}

function area(corners: Corners): number {
  return (corners[2] - corners[0]) * (corners[3] - corners[1]);
}
