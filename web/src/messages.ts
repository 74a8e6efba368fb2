// What the page asks its worker, and what the worker answers.

import type { Box } from "./coordinates";
import type { Start } from "./engine";
import type { Pose } from "./pose";

/** The page shows up to two models beside each other. */
export type Slot = 0 | 1;

export interface Network {
  kind: "model" | "detector";
  /** A detector's form, in words. */
  words: string;
  joints: number;
  size: [number, number];
  hasMaps: boolean;
  hasCovariance: boolean;
  /** What runs the network, in words. */
  engine: string;
}

export interface Opening {
  file: string;
  bytes: ArrayBuffer;
  cells: string;
  slot: Slot;
  /** How many joints a model must have; 0 if no skeleton is known. */
  joints: number;
}

/** For each request its argument and its answer. */
export interface Requests {
  start: [Start, null];
  /** Opens a file: a model into the slot, or a detector. */
  open: [Opening, Network];
  /** Closes the second model, or the detector. */
  close: [Network["kind"], null];
  /** The picture of the requests that follow; RGBA. */
  picture: [{ data: ArrayBuffer; width: number; height: number }, null];
  estimate: [{ slot: Slot; boxes: Box[] | null; maps: boolean }, Pose[]];
  detect: [null, Box[]];
}

export type Name = keyof Requests;

export interface Request {
  number: number;
  name: Name;
  value: Requests[Name][0];
}

export interface Answer {
  number: number;
  value?: Requests[Name][1];
  error?: string;
}
