// Fetches what lies beside the page, and then closes every connection.

import { isCard, isSkeleton } from "./card";
import type { Card } from "./card";
import type { Start } from "./engine";
import type { Skeleton } from "./pose";

export interface Loaded {
  engine: Start;
  /** null if there is no model beside the page. */
  model: { bytes: ArrayBuffer; card: Card; skeleton: Skeleton } | null;
}

type Sizes = Record<string, number>;

const PLAIN = "engine/ort-wasm-simd-threaded";
const MOST_THREADS = 4;

/** Loads the engine and the model; `progress` is told a share of the bytes. */
export async function load(progress: (share: number) => void): Promise<Loaded> {
  const webgpu = await hasWebgpu();
  const build = webgpu ? `${PLAIN}.jspi` : PLAIN;
  const card = await json("card.json");
  const skeleton = await json("skeleton.json");
  const has = isCard(card) && isSkeleton(skeleton);
  if (!has && (card !== null || skeleton !== null)) {
    const wrong = isCard(card) ? "skeleton.json" : "card.json";
    throw new Error(
      `A page's model has its card.json and skeleton.json; copy the whole ` +
        `folder again. Received: ${wrong}, which is damaged or missing`,
    );
  }
  const files = [`${build}.wasm`, ...(has ? ["model.onnx"] : [])];
  const sizes = (has && (card as { files?: Sizes }).files) || {};
  const total = files.reduce((sum, file) => sum + (sizes[file] ?? 15e6), 0);
  let read = 0;
  const count = (bytes: number) => {
    read += bytes;
    progress(Math.min(read / total, 1));
  };
  const [wasm, bytes] = await Promise.all(files.map((file) => fetched(file, count)));
  closeConnections();
  const glue = address(`${build}.mjs`);
  return {
    engine: { webgpu, wasm, glue, threads: threads() },
    model: has ? { bytes, card, skeleton } : null,
  };
}

/** WASM has threads where the server isolates the page (COOP and COEP). */
function threads(): number {
  const most = Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS);
  return globalThis.crossOriginIsolated ? most : 1;
}

/** Whether to run by WebGPU; `?engine=wasm` and `?engine=webgpu` decide it. */
async function hasWebgpu(): Promise<boolean> {
  const asked = new URLSearchParams(location.search).get("engine");
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  const suspends = "Suspending" in WebAssembly;
  if (!adapter || !suspends || asked === "wasm") return false;
  return asked === "webgpu" || !adapter.info.isFallbackAdapter;
}

/**
 * Adds a policy under which neither the page nor the worker, which starts
 * later, can connect to anything, not even to the page's own server.
 */
function closeConnections(): void {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = "connect-src 'none'; img-src blob: data:";
  document.head.append(policy);
}

async function json(file: string): Promise<unknown> {
  const response = await fetch(address(file));
  return response.ok ? response.json().catch(() => "damaged") : null;
}

async function fetched(
  file: string,
  count: (bytes: number) => void,
): Promise<ArrayBuffer> {
  const response = await fetch(address(file));
  if (!response.ok || !response.body) {
    throw new Error(
      `${file} is not beside the page; copy the whole folder. ` +
        `Received: ${response.status}`,
    );
  }
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        count(chunk.byteLength);
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(counted).arrayBuffer();
}

function address(file: string): string {
  return new URL(file, document.baseURI).href;
}
