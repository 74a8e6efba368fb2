// ONNX Runtime in this worker: by WASM everywhere, by WebGPU where there is one.
//
// There are two builds. The one with WebGPU needs a browser that can suspend
// WASM (JSPI); the page chooses, and sends the bytes.

import * as jspi from "onnxruntime-web/jspi";
import * as plain from "onnxruntime-web/wasm";
import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";

export type { InferenceSession, Tensor };

export interface Start {
  webgpu: boolean;
  /** The build's .wasm, and the address of the .mjs that goes with it. */
  wasm: ArrayBuffer;
  glue: string;
  threads: number;
}

export interface Engine {
  open(bytes: Uint8Array): Promise<InferenceSession>;
  tensor: typeof plain.Tensor;
  /** What runs the networks, in words. */
  words(): string;
}

export function start(asked: Start): Engine {
  const ort = asked.webgpu ? (jspi as unknown as typeof plain) : plain;
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = asked.threads;
  ort.env.wasm.wasmBinary = asked.wasm;
  ort.env.wasm.wasmPaths = { mjs: asked.glue };
  let webgpu = asked.webgpu;
  return {
    tensor: ort.Tensor,
    async open(bytes) {
      if (webgpu) {
        try {
          return await create(ort, bytes, "webgpu");
        } catch {
          webgpu = false; // the same build runs networks by WASM
        }
      }
      return create(ort, bytes, "wasm");
    },
    words() {
      if (webgpu) return "WebGPU";
      return asked.threads > 1 ? `WASM, ${asked.threads} threads` : "WASM, one thread";
    },
  };
}

function create(ort: typeof plain, bytes: Uint8Array, provider: string) {
  return ort.InferenceSession.create(bytes, { executionProviders: [provider] });
}
