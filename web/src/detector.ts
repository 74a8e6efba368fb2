// A detector in an ONNX file, as `integral_tf/detection/onnx_file.py` runs it.

import { LARGEST_BOX } from "./coordinates";
import type { Box } from "./coordinates";
import type { Engine, InferenceSession } from "./engine";
import { shapeOf } from "./estimator";
import { personOf, recognise, signatureOf } from "./onnxForms";
import type { Form, Shapes, Signature, Values } from "./onnxForms";
import { alongX, alongY, BILINEAR, tapsOf } from "./resample";
import type { Picture } from "./resample";
import { suppress } from "./suppression";

const GREY = 114;
const LEAST = 0.5;

export class Detector {
  private form: Form;
  private signature: Signature;
  private person: number;

  constructor(
    private engine: Engine,
    private session: InferenceSession,
    file: string,
  ) {
    const inputs = shapes(session.inputNames, session.inputMetadata);
    const outputs = shapes(session.outputNames, session.outputMetadata);
    this.signature = signatureOf(file, inputs, outputs);
    this.form = recognise(this.signature);
    this.person = personOf(this.signature);
    const { image } = this.signature;
    const fed = session.inputMetadata.find(({ name }) => name === image);
    if (fed?.isTensor && fed.type !== "float32") {
      throw new Error(
        `The page feeds detectors with float32 pictures. Received: ${file}, ` +
          `whose ${image} is ${fed.type}`,
      );
    }
  }

  toString(): string {
    const [width, height] = this.signature.side;
    return (
      `${this.signature.file}, recognised as ${this.form.name}, ` +
      `${width} x ${height}; class ${this.person} is a person`
    );
  }

  /** The boxes of people in a picture, the surest first. */
  async find(picture: Picture): Promise<Box[]> {
    const { side } = this.signature;
    const { pixels, scale } = fitted(picture, side, this.form);
    const size: [number, number] = [picture.width, picture.height];
    const values = await this.session.run(this.feeds(pixels, size));
    const outputs: Record<string, Values> = {};
    for (const [name, output] of Object.entries(values)) {
      const data = output.data as ArrayLike<number | bigint>;
      const columns = output.dims[output.dims.length - 1];
      outputs[name] = { data: Float64Array.from(data, Number), columns };
    }
    const view = { size, scale, side, person: this.person };
    const sure = this.form
      .read(outputs, view)
      .filter((each) => each.score >= LEAST);
    const kept = this.form.overlaps ? suppress(sure) : sure;
    return kept
      .map(({ corners: [x, y, right, bottom] }): Box => [x, y, right - x, bottom - y])
      .filter((box) => shows(box, size))
      .filter((box) => box.every((value) => Math.abs(value) < LARGEST_BOX));
  }

  private feeds(pixels: Float32Array, size: [number, number]) {
    const feeds: Record<string, InstanceType<Engine["tensor"]>> = {};
    const [width, height] = this.signature.side;
    this.session.inputMetadata.forEach((input) => {
      const type = input.isTensor ? input.type : "";
      if (input.name === this.signature.image) {
        const shape = [1, 3, height, width];
        feeds[input.name] = new this.engine.tensor("float32", pixels, shape);
      } else {
        feeds[input.name] = this.sizes(type, size);
      }
    });
    return feeds;
  }

  private sizes(type: string, size: [number, number]) {
    if (type === "float32") {
      return new this.engine.tensor(type, Float32Array.from(size), [1, 2]);
    }
    return type === "int32"
      ? new this.engine.tensor(type, Int32Array.from(size), [1, 2])
      : new this.engine.tensor("int64", BigInt64Array.from(size, BigInt), [1, 2]);
  }
}

/** Whether a box has a pixel of the picture. */
function shows([x, y, w, h]: Box, [width, height]: [number, number]): boolean {
  const across = Math.min(x + w, width) - Math.max(x, 0);
  const down = Math.min(y + h, height) - Math.max(y, 0);
  return Math.min(across, down) >= 1;
}

/** A picture as a network's input `(3, height, width)`, and its scale. */
export function fitted(
  picture: Picture,
  side: [number, number],
  form: Form,
): { pixels: Float32Array; scale: [number, number] } {
  const size = [picture.width, picture.height];
  let inner = [...side];
  if (form.keepsAspect) {
    const ratio = Math.min(side[0] / size[0], side[1] / size[1]);
    inner = size.map((length) => Math.max(roundHalfEven(length * ratio), 1));
  }
  const rgb = form.keepsAspect
    ? sampled(picture, inner[0], inner[1])
    : stretched(picture, inner[0], inner[1]);
  const area = side[0] * side[1];
  const pixels = new Float32Array(3 * area);
  for (let channel = 0; channel < 3; channel++) {
    const from = form.isBgr ? 2 - channel : channel;
    const level = (value: number) =>
      (value - form.mean[channel]) / form.deviation[channel];
    pixels.fill(level(GREY), channel * area, (channel + 1) * area);
    for (let y = 0; y < inner[1]; y++) {
      for (let x = 0; x < inner[0]; x++) {
        const value = rgb[3 * (y * inner[0] + x) + from];
        pixels[channel * area + y * side[0] + x] = level(value);
      }
    }
  }
  return { pixels, scale: [inner[0] / size[0], inner[1] / size[1]] };
}

/** The picture at another size, antialiased. */
function stretched(picture: Picture, width: number, height: number) {
  const across = tapsOf(BILINEAR, picture.width, 0, picture.width, width);
  const down = tapsOf(BILINEAR, picture.height, 0, picture.height, height);
  const rows = alongX(picture, across, 0, 0, picture.height);
  return alongY(rows, width, down, 0);
}

/** The picture at another size, bilinear between pixels, not antialiased. */
function sampled(picture: Picture, width: number, height: number) {
  const out = new Uint8ClampedArray(3 * width * height);
  const columns = between(picture.width, width);
  const rows = between(picture.height, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const at = (row: number, column: number) =>
          picture.data[4 * (row * picture.width + column) + channel];
        const [top, bottom, below] = rows[y];
        const [left, right, beside] = columns[x];
        const upper = at(top, left) * (1 - beside) + at(top, right) * beside;
        const lower = at(bottom, left) * (1 - beside) + at(bottom, right) * beside;
        // Pillow drops the fraction.
        out[3 * (y * width + x) + channel] = Math.floor(
          upper * (1 - below) + lower * below,
        );
      }
    }
  }
  return out;
}

/** For each pixel the two that it lies between, and the share of the second. */
function between(pixels: number, count: number): [number, number, number][] {
  return Array.from({ length: count }, (_, i) => {
    const at = ((i + 0.5) * pixels) / count - 0.5;
    const low = Math.floor(at);
    const clip = (value: number) => Math.min(Math.max(value, 0), pixels - 1);
    return [clip(low), clip(low + 1), at - low];
  });
}

function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return low + Number(rest > 0.5 || (rest === 0.5 && low % 2 === 1));
}

function shapes(
  names: readonly string[],
  metadata: InferenceSession["inputMetadata"],
): Shapes {
  return Object.fromEntries(names.map((name, at) => [name, shapeOf(metadata[at])]));
}
