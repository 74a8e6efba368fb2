// The worker: it holds the networks and the picture, and estimates.

import { Detector } from "./detector";
import { start } from "./engine";
import type { Engine } from "./engine";
import { isPoseNetwork, PoseEstimator } from "./estimator";
import type { Answer, Name, Network, Opening, Request, Requests } from "./messages";
import type { Picture } from "./resample";

let engine: Engine;
let picture: Picture;
let detector: Detector | null = null;
const models: (PoseEstimator | null)[] = [null, null];

const answers: {
  [N in Name]: (value: Requests[N][0]) => Promise<Requests[N][1]>;
} = {
  async start(asked) {
    engine = start(asked);
    return null;
  },
  open,
  async close(kind) {
    if (kind === "detector") detector = null;
    else models[1] = null;
    return null;
  },
  async picture({ data, width, height }) {
    picture = { data: new Uint8ClampedArray(data), width, height };
    return null;
  },
  async estimate({ slot, boxes, maps }) {
    const model = models[slot];
    return model ? model.estimate(picture, boxes, maps) : [];
  },
  async detect() {
    return detector ? detector.find(picture) : [];
  },
};

async function open(asked: Opening): Promise<Network> {
  const session = await engine
    .open(new Uint8Array(asked.bytes))
    .catch((error: unknown) => {
      const reason = String(error).split("\n")[0].slice(0, 200);
      const wrong = /no available backend/.test(reason)
        ? "The engine does not start; copy the page's whole folder again"
        : `${asked.file} is no ONNX file that the page reads, or it is damaged`;
      throw new Error(`${wrong}. Received: ${reason}`);
    });
  const network = {
    words: "",
    joints: 0,
    size: [0, 0] as [number, number],
    hasMaps: false,
    hasCovariance: false,
    engine: engine.words(),
  };
  if (!isPoseNetwork(session)) {
    detector = new Detector(engine, session, asked.file);
    return { ...network, kind: "detector", words: String(detector) };
  }
  const model = new PoseEstimator(engine, session, asked.cells);
  await check(model, asked);
  models[asked.slot] = model;
  const { joints, hasMaps, hasCovariance } = model;
  const size: [number, number] = [model.width, model.height];
  return { ...network, kind: "model", joints, size, hasMaps, hasCovariance };
}

/** Throws if a model cannot be shown; tries it on a black pixel. */
async function check(model: PoseEstimator, asked: Opening): Promise<void> {
  if (model.joints !== asked.joints) {
    throw new Error(
      `A model with other joints needs its skeleton.json, given together ` +
        `with it. Received: ${asked.file}, with ${model.joints} joints`,
    );
  }
  const black = { data: new Uint8ClampedArray(4), width: 1, height: 1 };
  const [pose] = await model.estimate(black, [[0, 0, 1, 1]], false);
  if (![...pose.joints.flat(), ...pose.scores].every(Number.isFinite)) {
    throw new Error(
      `A model answers with numbers. Received: ${asked.file}, which answers NaN`,
    );
  }
}

// One after the other: a network answers one request at a time.
let last: Promise<void> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<Request>) => {
  last = last.then(async () => {
    const answer: Answer = { number: data.number };
    try {
      const ask = answers[data.name] as (value: unknown) => Promise<never>;
      answer.value = await ask(data.value);
    } catch (error) {
      answer.error = error instanceof Error ? error.message : String(error);
    }
    self.postMessage(answer);
  });
};
