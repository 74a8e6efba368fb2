// Pictures and boxes in, joints in pixels of the picture out, as
// `integral_tf/inference/estimator.py` gives them.

import { apply, applyToCovariance } from "./coordinates";
import { heatmapToCrop, regionAround, regionToPixels } from "./coordinates";
import type { Affine, Box, Point } from "./coordinates";
import type { Engine, InferenceSession } from "./engine";
import * as opencvCrops from "./opencvCrops";
import { scoreOf } from "./pose";
import type { Maps, Pose } from "./pose";
import { sureBox } from "./refinement";
import type { Picture } from "./resample";
import * as windows from "./windows";

const BATCH = 16;

/** Whether a network is a pose network that `integral-tf export` wrote. */
export function isPoseNetwork(session: InferenceSession): boolean {
  const has = session.outputNames;
  return (
    session.inputNames.join() === "images" &&
    has.includes("joints") &&
    has.includes("scores")
  );
}

export class PoseEstimator {
  readonly width: number;
  readonly height: number;
  readonly joints: number;
  readonly hasMaps: boolean;
  readonly hasCovariance: boolean;

  constructor(
    private engine: Engine,
    private session: InferenceSession,
    private cells: string,
  ) {
    [this.height, this.width] = shapeOf(session.inputMetadata[0]).slice(1, 3);
    const at = session.outputNames.indexOf("joints");
    this.joints = shapeOf(session.outputMetadata[at])[1];
    this.hasMaps = session.outputNames.includes("heatmaps");
    this.hasCovariance = session.outputNames.includes("covariance");
  }

  /**
   * Estimates the pose in each box.
   *
   * @param boxes null takes the whole picture as one person, and estimates
   *   again in the box around the first pose's sure joints.
   */
  async estimate(
    picture: Picture,
    boxes: Box[] | null,
    maps: boolean,
  ): Promise<Pose[]> {
    if (boxes) return this.inBoxes(picture, boxes, maps);
    const whole: Box = [0, 0, picture.width, picture.height];
    const [first] = await this.inBoxes(picture, [whole], maps);
    const box = sureBox(first.joints, first.scores);
    if (!box) return [first];
    const [second] = await this.inBoxes(picture, [box], maps);
    return [scoreOf(second) > scoreOf(first) ? second : first];
  }

  private async inBoxes(
    picture: Picture,
    boxes: Box[],
    maps: boolean,
  ): Promise<Pose[]> {
    const poses: Pose[] = [];
    for (let at = 0; at < boxes.length; at += BATCH) {
      const batch = boxes.slice(at, at + BATCH);
      poses.push(...(await this.batch(picture, batch, maps, at)));
    }
    return poses;
  }

  private async batch(
    picture: Picture,
    boxes: Box[],
    maps: boolean,
    before: number,
  ): Promise<Pose[]> {
    const size = 3 * this.width * this.height;
    const images = new Float32Array(boxes.length * size);
    const toImage = boxes.map((box, i) => {
      const crop = this.crop(picture, box);
      images.set(crop.pixels, i * size);
      return crop.toImage;
    });
    const shape = [boxes.length, this.height, this.width, 3];
    const feed = new this.engine.tensor("float32", images, shape);
    const wanted = this.session.outputNames.filter(
      (name) => name !== "heatmaps" || maps,
    );
    const outputs = await this.session.run({ images: feed }, wanted);
    return boxes.map((box, i) => {
      const of = (name: string) => rowOf(outputs[name], i);
      return {
        number: before + i + 1,
        box,
        joints: pairs(of("joints"), toImage[i]),
        scores: [...of("scores")],
        covariance: outputs.covariance
          ? squares(of("covariance"), toImage[i])
          : null,
        maps: outputs.heatmaps
          ? this.maps(of("heatmaps"), outputs.heatmaps.dims, toImage[i])
          : null,
      };
    });
  }

  /** The network's input for a person, and its affine map to the picture. */
  private crop(picture: Picture, box: Box) {
    if (this.cells === "first") {
      return opencvCrops.cut(picture, box, this.width, this.height);
    }
    const region = regionAround(box, this.width / this.height);
    return {
      pixels: windows.cut(picture, region, this.width, this.height),
      toImage: regionToPixels(region, this.width, this.height),
    };
  }

  private maps(
    data: Float32Array,
    dims: readonly number[],
    toImage: Affine,
  ): Maps {
    const [, height, width] = dims;
    const strides = [this.width / width, this.height / height];
    const first = strides.map((stride) => heatmapToCrop(0, stride, this.cells));
    const [x, y] = apply(toImage, first[0], first[1]);
    return {
      data: data.slice(),
      width,
      height,
      toImage: [
        [toImage[0][0] * strides[0], 0, x],
        [0, toImage[1][1] * strides[1], y],
      ],
    };
  }
}

type Metadata = InferenceSession["inputMetadata"][number];

/** A network's shape of an input or output; a free size is 0. */
export function shapeOf(metadata: Metadata): number[] {
  if (!metadata.isTensor) return [];
  return metadata.shape.map((size) => (typeof size === "number" ? size : 0));
}

type Output = Awaited<ReturnType<InferenceSession["run"]>>[string];

function rowOf(output: Output, row: number): Float32Array {
  const size = output.size / output.dims[0];
  const data = output.data as Float32Array;
  return data.subarray(row * size, (row + 1) * size);
}

function pairs(values: Float32Array, toImage: Affine): Point[] {
  const points: Point[] = [];
  for (let at = 0; at < values.length; at += 2) {
    points.push(apply(toImage, values[at], values[at + 1]));
  }
  return points;
}

function squares(values: Float32Array, toImage: Affine): number[][] {
  const spreads: number[][] = [];
  for (let at = 0; at < values.length; at += 4) {
    spreads.push(applyToCovariance(toImage, [...values.subarray(at, at + 4)]));
  }
  return spreads;
}
