// A person's box, from the sure joints of a first prediction, as
// `integral_tf/detection/refinement.py` finds it.

import { boxAround } from "./coordinates";
import type { Box, Point } from "./coordinates";
import { scoreOf, SURE } from "./pose";
import type { Pose } from "./pose";

const BODY_MARGIN = 1.25;
const FEWEST = 3;
const SMALLEST = 1 / 16; // of the picture's longer side

/** The box around a pose's sure joints; null if fewer than 3 are sure. */
export function sureBox(joints: Point[], scores: number[]): Box | null {
  const sure = joints.filter((_, joint) => scores[joint] >= SURE);
  if (sure.length < FEWEST) return null;
  // Whole pixels, so that what two runtimes round differently does not change
  // the second crop.
  return boxAround(sure, BODY_MARGIN).map(Math.round) as Box;
}

/**
 * The box in which a film's next frame is looked at; null for the whole
 * picture. A network is sure of some joints on plain ground, too: without these
 * limits, each box would lie in the one before, down to a pixel.
 */
export function nextBox(pose: Pose, width: number, height: number): Box | null {
  const box = sureBox(pose.joints, pose.scores);
  if (!box || scoreOf(pose) < SURE) return null;
  const least = SMALLEST * Math.max(width, height);
  return Math.max(box[2], box[3]) < least ? null : box;
}
