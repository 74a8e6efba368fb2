// A person's box, from the sure joints of a first prediction, as
// `integral_tf/detection/refinement.py` finds it.

import { boxAround } from "./coordinates";
import type { Box, Point } from "./coordinates";

/** Score from which a joint is sure. */
export const SURE = 0.3;
const BODY_MARGIN = 1.25;
const FEWEST = 3;

/** The box around a pose's sure joints; null if fewer than 3 are sure. */
export function sureBox(joints: Point[], scores: number[]): Box | null {
  const sure = joints.filter((_, joint) => scores[joint] >= SURE);
  if (sure.length < FEWEST) return null;
  // Whole pixels, so that what two runtimes round differently does not change
  // the second crop.
  return boxAround(sure, BODY_MARGIN).map(Math.round) as Box;
}
