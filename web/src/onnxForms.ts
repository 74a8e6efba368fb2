// Forms of ONNX detectors, as `integral_tf/detection/onnx_forms.py` has them:
// YOLOX, RTMDet of MMDeploy, D-FINE with RT-DETR and DEIM, and RF-DETR.

import type { Corners, Found } from "./suppression";

export const KNOWN =
  "YOLOX (one output (1, N, 5 + classes) of raw grids), RTMDet of MMDeploy " +
  "(outputs dets (1, N, 5) and labels (1, N)), D-FINE, RT-DETR or DEIM " +
  "(inputs images and orig_target_sizes, outputs labels, boxes and scores), " +
  "or RF-DETR (outputs dets (1, N, 4) and labels (1, N, classes))";
const SIDE = 640; // of an input of free size
const MOST = 20; // largest logarithm of a size that can be a box
const MEAN = [123.675, 116.28, 103.53];
const DEVIATION = [58.395, 57.12, 57.375];

/** Shapes by name; a free size is 0. */
export type Shapes = Record<string, number[]>;

/** A network's inputs and outputs. */
export interface Signature {
  file: string;
  inputs: Shapes;
  outputs: Shapes;
  /** The input that is a picture; empty unless exactly one is. */
  image: string;
  /** Width and height of that input. */
  side: [number, number];
}

/** An output without its batch axis. */
export interface Values {
  data: ArrayLike<number>;
  /** Length of the last axis. */
  columns: number;
}

/** How a picture lies in the network's input. */
export interface View {
  size: [number, number];
  /** Pixels of the input per pixel of the picture, along x and y. */
  scale: [number, number];
  side: [number, number];
  /** Number of the class of people. */
  person: number;
}

export interface Form {
  name: string;
  fits(signature: Signature): boolean;
  read(outputs: Record<string, Values>, view: View): Found[];
  /** In the top left corner, grey beside it; else stretched, antialiased. */
  keepsAspect: boolean;
  isBgr: boolean;
  mean: number[];
  deviation: number[];
  /** The outputs may have several boxes of one person. */
  overlaps: boolean;
}

export function signatureOf(
  file: string,
  inputs: Shapes,
  outputs: Shapes,
): Signature {
  const pictures = Object.keys(inputs).filter((name) => {
    const shape = inputs[name];
    return shape.length === 4 && shape[0] <= 1 && shape[1] === 3;
  });
  const image = pictures.length === 1 ? pictures[0] : "";
  const [, , height, width] = inputs[image] ?? [];
  return { file, inputs, outputs, image, side: [width || SIDE, height || SIDE] };
}

/** The form of a network; an error says which are known. */
export function recognise(signature: Signature): Form {
  const form = FORMS.find((each) => each.fits(signature));
  if (!form || !signature.image) {
    throw new Error(
      `An ONNX file is a model that \`integral-tf export\` wrote, or a ` +
        `detector: ${KNOWN}. Received: ${signature.file} with inputs ` +
        `${words(signature.inputs)}; outputs ${words(signature.outputs)}`,
    );
  }
  return form;
}

/** Usual number of the class of people, by the number of classes. */
export function personOf(signature: Signature): number {
  const [first] = Object.values(signature.outputs);
  const labels = signature.outputs.labels ?? [];
  const classes = isYolox(signature) ? first[2] - 5 : labels[2];
  return classes === 91 ? 1 : 0; // of 91, COCO's own numbers
}

function isYolox({ inputs, outputs, side }: Signature): boolean {
  const [shape, ...others] = Object.values(outputs);
  const alone = !others.length && Object.keys(inputs).length === 1;
  const grids = shape?.length === 3 && shape[2] > 5;
  return alone && grids && stridesOf(shape[1], side).length > 0;
}

function isDetr({ inputs, outputs }: Signature): boolean {
  const fed = Object.keys(inputs).sort().join();
  const given = ["labels", "boxes", "scores"].every((name) => name in outputs);
  return fed === "images,orig_target_sizes" && given;
}

function hasDets(signature: Signature, columns: number, rank: number): boolean {
  const { dets, labels } = signature.outputs;
  return (
    Object.keys(signature.inputs).length === 1 &&
    dets?.length === 3 &&
    dets[2] === columns &&
    labels?.length === rank
  );
}

/** Strides whose grids have so many rows; the usual three for 0. */
function stridesOf(rows: number, side: [number, number]): number[] {
  const known = [[8, 16, 32], [8, 16, 32, 64]];
  const cells = (stride: number) =>
    Math.floor(side[0] / stride) * Math.floor(side[1] / stride);
  const fit = known.find(
    (strides) =>
      !rows || rows === strides.reduce((sum, each) => sum + cells(each), 0),
  );
  return fit ?? [];
}

function readYolox(outputs: Record<string, Values>, view: View): Found[] {
  const [{ data, columns }] = Object.values(outputs);
  const strides = stridesOf(data.length / columns, view.side);
  const found: Found[] = [];
  let at = 0;
  for (const stride of strides) {
    const width = Math.floor(view.side[0] / stride);
    const count = width * Math.floor(view.side[1] / stride);
    for (let cell = 0; cell < count; cell++, at += columns) {
      if (Math.max(data[at + 2], data[at + 3]) > MOST) {
        throw new Error(
          "The detector was taken for YOLOX, whose raw grids are wanted, as " +
            "its export makes them without --decode_in_inference.",
        );
      }
      const x = (data[at] + (cell % width)) * stride;
      const y = (data[at + 1] + Math.floor(cell / width)) * stride;
      const w = Math.exp(data[at + 2]) * stride;
      const h = Math.exp(data[at + 3]) * stride;
      found.push({
        corners: unscaled(around(x, y, w, h), view),
        score: data[at + 4] * data[at + 5 + view.person],
      });
    }
  }
  return found;
}

function readMmdeploy(outputs: Record<string, Values>, view: View): Found[] {
  const { dets, labels } = outputs;
  return peopleOf(labels, view).map((row) => ({
    corners: unscaled(four(dets, row), view),
    score: dets.data[row * dets.columns + 4],
  }));
}

function readDetr(outputs: Record<string, Values>, view: View): Found[] {
  const { boxes, labels, scores } = outputs;
  return peopleOf(labels, view).map((row) => ({
    corners: four(boxes, row),
    score: scores.data[row],
  }));
}

function readRfDetr(outputs: Record<string, Values>, view: View): Found[] {
  const { dets, labels } = outputs;
  const rows = dets.data.length / dets.columns;
  return Array.from({ length: rows }, (_, row) => {
    const [x, y, w, h] = four(dets, row);
    const [width, height] = view.size;
    const logit = labels.data[row * labels.columns + view.person];
    return {
      corners: around(x * width, y * height, w * width, h * height),
      score: (1 + Math.tanh(logit / 2)) / 2,
    };
  });
}

/** Rows whose label is that of people. */
function peopleOf(labels: Values, view: View): number[] {
  const rows = Array.from({ length: labels.data.length }, (_, row) => row);
  return rows.filter((row) => labels.data[row] === view.person);
}

function four({ data, columns }: Values, row: number): Corners {
  const at = row * columns;
  return [data[at], data[at + 1], data[at + 2], data[at + 3]];
}

function around(x: number, y: number, w: number, h: number): Corners {
  return [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
}

function unscaled(corners: Corners, { scale }: View): Corners {
  return corners.map((value, at) => value / scale[at % 2]) as Corners;
}

function words(shapes: Shapes): string {
  const each = Object.entries(shapes).map(
    ([name, shape]) => `${name} (${shape.map((n) => n || "?").join(", ")})`,
  );
  return each.join(", ");
}

const PLAIN = {
  isBgr: false,
  mean: [0, 0, 0],
  deviation: [1, 1, 1],
  overlaps: false,
};

// The first form that fits is taken.
const FORMS: Form[] = [
  {
    ...PLAIN,
    name: "YOLOX",
    fits: isYolox,
    read: readYolox,
    keepsAspect: true,
    isBgr: true,
    overlaps: true,
  },
  {
    ...PLAIN,
    name: "YOLOX of MMDeploy (by its name)",
    fits: (s) => hasDets(s, 5, 2) && s.file.toLowerCase().includes("yolox"),
    read: readMmdeploy,
    keepsAspect: true,
    isBgr: true,
  },
  {
    ...PLAIN,
    name: "RTMDet of MMDeploy",
    fits: (s) => hasDets(s, 5, 2),
    read: readMmdeploy,
    keepsAspect: true,
    isBgr: true,
    mean: [...MEAN].reverse(),
    deviation: [...DEVIATION].reverse(),
  },
  {
    ...PLAIN,
    name: "D-FINE, RT-DETR or DEIM",
    fits: isDetr,
    read: readDetr,
    keepsAspect: false,
    deviation: [255, 255, 255],
  },
  {
    ...PLAIN,
    name: "RF-DETR",
    fits: (s) => hasDets(s, 4, 3),
    read: readRfDetr,
    keepsAspect: false,
    mean: MEAN,
    deviation: DEVIATION,
  },
];
