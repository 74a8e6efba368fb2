// One person's pose in a picture, as `integral_tf/inference/pose.py` has it.

import type { Affine, Box, Point } from "./coordinates";

/** Score from which a joint is sure. */
export const SURE = 0.3;

/** Unnormalised scores `(height, width, joints)`, and where they lie. */
export interface Maps {
  data: Float32Array;
  width: number;
  height: number;
  toImage: Affine;
}

export interface Pose {
  /** From 1. */
  number: number;
  box: Box;
  joints: Point[];
  scores: number[];
  /** For each joint xx, xy, yx, yy in square pixels of the picture. */
  covariance: number[][] | null;
  maps: Maps | null;
}

export interface Skeleton {
  name: string;
  joints: string[];
  sides: [string, string][];
  limbs: [string, string][];
  categories: number[];
}

/** Mean of the joints' scores. */
export function scoreOf(pose: Pose): number {
  return pose.scores.reduce((sum, each) => sum + each, 0) / pose.scores.length;
}

/** Whether any joint is sure; in a picture without people none is. */
export function isSure(pose: Pose): boolean {
  return pose.scores.some((score) => score >= SURE);
}

/** The people of a picture as keypoint results of COCO. */
export function toCoco(poses: Pose[], skeleton: Skeleton, file: string) {
  const number = /^0*(\d+)$/.exec(file.replace(/\.[^.]*$/, ""));
  const known = number ? { image_id: Number(number[1]) } : {};
  return poses.map((pose) => ({
    ...known,
    file_name: file,
    category_id: skeleton.categories[0],
    bbox: pose.box.map((value) => rounded(value, 2)),
    keypoints: pose.joints.flatMap((point, joint) =>
      [...point, pose.scores[joint]].map((value) => rounded(value, 3)),
    ),
    score: rounded(scoreOf(pose), 5),
    sure: isSure(pose),
  }));
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
