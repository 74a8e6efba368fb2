// Draws poses and heat maps, with the colours and widths of
// `integral_tf/inference/draw.py`.

import type { Point } from "./coordinates";
import { scoreOf } from "./pose";
import type { Maps, Pose, Skeleton } from "./pose";

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

const LEFT = "rgb(40 160 255)";
const RIGHT = "rgb(255 120 40)";
const MIDDLE = "rgb(90 220 90)";
/** Colours of outlines and labels; person 1 has the first. */
export const PEOPLE = [
  "rgb(20 20 20)", "rgb(250 220 40)", "rgb(220 40 160)", "rgb(0 200 190)",
  "rgb(150 80 230)", "rgb(230 60 60)", "rgb(180 230 60)", "rgb(235 235 235)",
];
const DARK = new Set([0, 2, 4, 5]);
const SURE = 0.5;
const FAINTEST = 0.25;

export interface Options {
  ellipses: boolean;
  /** Joints with a lower score are left out. */
  least: number;
}

export function drawPose(
  context: Context,
  pose: Pose,
  skeleton: Skeleton,
  options: Options,
): void {
  const shown = pose.scores.map((score) => score >= options.least);
  const points = pose.joints.filter((_, joint) => shown[joint]);
  if (!points.length) return;
  const width = strokeOf(points, context.canvas);
  const alphas = pose.scores.map((score) =>
    Math.min(Math.max(score / SURE, FAINTEST), 1),
  );
  const outline = PEOPLE[(pose.number - 1) % PEOPLE.length];
  const names = skeleton.joints;
  const sides = names.map((name) => sideOf(skeleton, [name]));
  context.save();
  context.translate(0.5, 0.5); // a pixel's centre has integer coordinates
  context.lineCap = "round";
  if (options.ellipses && pose.covariance) {
    pose.joints.forEach((point, joint) => {
      if (!shown[joint]) return;
      const spread = pose.covariance![joint];
      ellipse(context, point, spread, sides[joint], alphas[joint], width / 3);
    });
  }
  const limbs = skeleton.limbs
    .map((limb) => ({ limb, ends: limb.map((name) => names.indexOf(name)) }))
    .filter(({ ends }) => ends.every((joint) => shown[joint]));
  for (const casing of [true, false]) {
    for (const { limb, ends } of limbs) {
      context.globalAlpha = Math.min(...ends.map((joint) => alphas[joint]));
      context.strokeStyle = casing ? outline : sideOf(skeleton, limb);
      context.lineWidth = casing ? width + Math.max(2, 0.7 * width) : width;
      line(context, pose.joints[ends[0]], pose.joints[ends[1]]);
    }
  }
  pose.joints.forEach((point, joint) => {
    if (!shown[joint]) return;
    context.globalAlpha = alphas[joint];
    dot(context, point, 0.9 * width + 1, outline);
    dot(context, point, 0.75 * (0.9 * width + 1), sides[joint]);
  });
  context.restore();
  label(context, pose, points, outline, width);
}

/** Draws one joint's heat map, the highest score opaque. */
export function drawMap(
  context: Context,
  maps: Maps,
  joint: number,
  beta: number | null,
): void {
  const { width, height, toImage } = maps;
  const shares = sharesOf(maps, joint, beta);
  const cells = new ImageData(width, height);
  shares.forEach((share, at) => {
    cells.data.set([255, 230 - 200 * share, 40, 235 * Math.sqrt(share)], 4 * at);
  });
  const small = new OffscreenCanvas(width, height);
  small.getContext("2d")!.putImageData(cells, 0, 0);
  context.save();
  // From a cell's first edge, half a cell before its centre.
  const [sx, , tx] = toImage[0];
  const [, sy, ty] = toImage[1];
  context.imageSmoothingQuality = "high";
  context.drawImage(
    small, tx + 0.5 - sx / 2, ty + 0.5 - sy / 2, width * sx, height * sy,
  );
  context.restore();
}

/**
 * A joint's map from 0 to 1: the softmax of Eq. (5) with `beta`, or the scores
 * themselves if it is null, each relative to its highest.
 */
export function sharesOf(
  maps: Maps,
  joint: number,
  beta: number | null,
): Float32Array {
  const { data, width, height } = maps;
  const joints = data.length / (width * height);
  const scores = new Float32Array(width * height);
  scores.forEach((_, at) => (scores[at] = data[at * joints + joint]));
  const top = scores.reduce((most, each) => Math.max(most, each), -Infinity);
  if (beta !== null) return scores.map((each) => Math.exp(beta * (each - top)));
  return scores.map((each) => (top > 0 ? Math.max(each / top, 0) : 0));
}

function strokeOf(points: Point[], canvas: { width: number; height: number }) {
  const extents = [0, 1].map((axis) => {
    const values = points.map((point) => point[axis]);
    return Math.max(...values) - Math.min(...values);
  });
  const extent = Math.max(...extents);
  const wanted = Math.max(extent / 65, Math.max(canvas.width, canvas.height) / 300);
  // A limb must not cover the face of a small person in a large picture.
  return Math.max(1, Math.min(wanted, extent / 35));
}

/** Colour of the side that all of these joints are on. */
function sideOf(skeleton: Skeleton, names: string[]): string {
  const lefts = skeleton.sides.map(([left]) => left);
  const rights = skeleton.sides.map(([, right]) => right);
  if (names.every((name) => lefts.includes(name))) return LEFT;
  return names.every((name) => rights.includes(name)) ? RIGHT : MIDDLE;
}

function line(context: Context, from: Point, to: Point): void {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function dot(context: Context, at: Point, radius: number, fill: string): void {
  context.fillStyle = fill;
  context.beginPath();
  context.arc(at[0], at[1], radius, 0, 2 * Math.PI);
  context.fill();
}

function ellipse(
  context: Context,
  at: Point,
  spread: number[],
  colour: string,
  alpha: number,
  width: number,
): void {
  const { radii, angle } = axesOf(spread);
  context.beginPath();
  context.ellipse(at[0], at[1], radii[0], radii[1], angle, 0, 2 * Math.PI);
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = Math.max(1, width);
  context.globalAlpha = 0.3 * alpha;
  context.fill();
  context.globalAlpha = alpha;
  context.stroke();
}

/** Radii of a covariance's one-sigma ellipse, and the angle of the first. */
export function axesOf([xx, xy, , yy]: number[]) {
  const middle = (xx + yy) / 2;
  const half = Math.hypot((xx - yy) / 2, xy);
  const radii = [middle + half, middle - half].map((v) => Math.sqrt(Math.max(v, 0)));
  return { radii, angle: Math.atan2(2 * xy, xx - yy) / 2 };
}

/** Writes the person's number and score above the person. */
function label(
  context: Context,
  pose: Pose,
  points: Point[],
  ground: string,
  width: number,
): void {
  const { canvas } = context;
  const height = Math.min(
    Math.max(5 * width + 4, 11),
    Math.min(canvas.width, canvas.height) / 20,
  );
  if (height < 7) return; // in a small picture a label would hide the person
  const text = `${pose.number}  ${scoreOf(pose).toFixed(2)}`;
  context.save();
  context.font = `${Math.round(height)}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  const pad = Math.max(2, Math.round(width));
  const size = [context.measureText(text).width + 2 * pad, height + 2 * pad];
  const xs = points.map(([x]) => x);
  const top = Math.min(...points.map(([, y]) => y));
  const middle = (Math.min(...xs) + Math.max(...xs)) / 2;
  const x = Math.min(Math.max(middle - size[0] / 2, 0), canvas.width - size[0]);
  const above = top - size[1] - 3 * width;
  const y = Math.min(Math.max(above, 0), canvas.height - size[1]);
  context.fillStyle = ground;
  context.fillRect(x, y, size[0], size[1]);
  const isDark = DARK.has((pose.number - 1) % PEOPLE.length);
  context.fillStyle = isDark ? "white" : "black";
  context.fillText(text, x + pad, y + size[1] / 2);
  context.restore();
}
