// The page's side of the worker.

import type { Answer, Name, Request, Requests } from "./messages";
import EngineWorker from "./worker?worker&inline";

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
}

export class Client {
  // A worker from a blob, because such a worker is under the page's content
  // security policy, and one from a file is not.
  private worker = new EngineWorker();
  private waiting = new Map<number, Waiting>();
  private count = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const { resolve, reject } = this.waiting.get(data.number)!;
      this.waiting.delete(data.number);
      if (data.error === undefined) resolve(data.value as never);
      else reject(new Error(data.error));
    };
    this.worker.onerror = (event) => {
      const error = new Error(event.message || "The engine does not start.");
      this.waiting.forEach(({ reject }) => reject(error));
      this.waiting.clear();
    };
  }

  /** Asks the worker; buffers in `moved` are handed over, not copied. */
  ask<N extends Name>(
    name: N,
    value: Requests[N][0],
    moved: Transferable[] = [],
  ): Promise<Requests[N][1]> {
    const number = this.count++;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      const request: Request = { number, name, value };
      this.worker.postMessage(request, moved);
    });
  }
}
