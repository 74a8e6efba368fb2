// What the page does: opens models and pictures, estimates, draws and saves.

import type { Boxes } from "./boxes";
import { isIntegral } from "./card";
import type { Client } from "./client";
import type { Box } from "./coordinates";
import { drawMap, drawPose } from "./draw";
import { pixelsOf, readNetwork, readPhotograph, save, sort } from "./files";
import type { Given } from "./files";
import { load } from "./load";
import type { Network, Slot } from "./messages";
import { isSure, scoreOf, toCoco } from "./pose";
import type { Pose } from "./pose";
import { nextBox } from "./refinement";
import type { Model } from "./words";
import type { View } from "./view";

const FRAME = "frame.png";
const NO_MODEL = "Ready for a model: drop a model.onnx with its skeleton.json.";

export class App {
  private models: Model[] = [];
  private hasDetector = false;
  private name = "";
  private source: ImageBitmap | null = null;
  /** The picture whose pixels the worker has. */
  private sent: ImageBitmap | null = null;
  /** Whether the detector found nobody in the picture. */
  private isEmpty = false;
  /** Number of the picture or film that was begun last. */
  private order = 0;
  /** Where a film's next frame is looked at; null for the whole of it. */
  private next: Box | null = null;
  private started: Promise<void> = Promise.resolve();
  private opening: Promise<unknown> = Promise.resolve();
  private busy: Promise<void> | null = null;
  private again = false;

  /** Made when everything is loaded: its policy is then the closed one. */
  private client!: Client;

  constructor(
    private makeClient: () => Client,
    private view: View,
    private boxes: Boxes,
  ) {}

  /** Loads the engine, and the model beside the page if there is one. */
  start(): Promise<void> {
    this.started = this.load().finally(() => this.view.ready());
    return this.started;
  }

  private async load(): Promise<void> {
    const loaded = await load((share) => this.view.progress(share));
    this.client = this.makeClient();
    this.view.status("Starting the engine");
    await this.client.ask("start", loaded.engine, [loaded.engine.wasm]);
    if (loaded.model) {
      const { bytes, card, skeleton } = loaded.model;
      try {
        await this.open("model.onnx", bytes, card, skeleton);
      } catch (error) {
        return this.view.error((error as Error).message); // others may be given
      }
    }
    this.sayReady();
  }

  private sayReady(): void {
    this.view.status(this.models.length ? "Ready for a photograph." : NO_MODEL);
  }

  /** Takes files that were chosen or dropped. */
  async give(files: Iterable<File>): Promise<void> {
    const given = await sort(files);
    const { photograph, networks, left } = given;
    if (left.length) {
      this.view.error(
        "The page takes one photograph at a time, and a card or a skeleton " +
          `together with its model.onnx. Left out: ${left.join(", ")}`,
      );
    }
    const order = photograph ? this.begin() : this.order;
    let finds = false;
    if (networks.length) {
      const opened = this.opening.then(() => this.openAll(given));
      this.opening = opened.catch(() => null);
      finds = await opened;
    }
    if (photograph) await this.show(photograph, order);
    else if (finds) await this.detect();
    else if (networks.length) await this.estimate();
  }

  /** Opens networks; returns whether one is a detector. */
  private async openAll({ networks, card, skeleton }: Given): Promise<boolean> {
    await this.started;
    const kinds: Network["kind"][] = [];
    for (const file of networks) {
      this.view.status(`Opening ${file.name}`);
      const bytes = await readNetwork(file);
      kinds.push(await this.open(file.name, bytes, card, skeleton));
    }
    return kinds.includes("detector");
  }

  private async open(
    file: string,
    bytes: ArrayBuffer,
    card: Model["card"],
    skeleton: Model["skeleton"] | null,
  ): Promise<Network["kind"]> {
    const slot: Slot = this.models.length ? 1 : 0;
    const known = skeleton ?? this.models[0]?.skeleton;
    const joints = known?.joints.length ?? 0;
    const cells = card.network?.cells ?? "middle";
    const asked = { file, bytes, cells, slot, joints };
    const network = await this.client.ask("open", asked, [bytes]);
    if (network.kind === "detector") {
      this.hasDetector = true;
      this.view.detector(network.words);
    } else {
      const borrows = !skeleton;
      this.models[slot] = { file, card, skeleton: known, borrows, network, poses: [] };
      this.view.models(this.models);
    }
    this.view.status(`${file} is open.`);
    return network.kind;
  }

  /** Removes the second model. */
  async remove(): Promise<void> {
    await this.client.ask("close", "model");
    this.models.length = 1;
    this.view.models(this.models);
    this.view.people(this.models, false);
    this.render();
  }

  async removeDetector(): Promise<void> {
    await this.client.ask("close", "detector");
    this.hasDetector = false;
    this.view.detector("");
  }

  /** What is still awaited for an older picture or film is of no use then. */
  private begin(): number {
    this.next = null;
    return ++this.order;
  }

  /** Shows a photograph, and estimates its people. */
  private async show(file: File, order: number): Promise<void> {
    this.view.status(`Reading ${file.name}`);
    try {
      const bitmap = await readPhotograph(file);
      if (order !== this.order) return bitmap.close();
      this.frame(file.name, bitmap);
    } catch (error) {
      if (order !== this.order) return;
      throw error;
    }
    await this.started;
    if (order !== this.order) return;
    if (this.hasDetector) await this.detect();
    else await this.estimate();
  }

  private frame(name: string, bitmap: ImageBitmap): void {
    this.replace(name, bitmap);
    this.boxes.set([], [bitmap.width, bitmap.height]);
    this.view.picture(bitmap.width, bitmap.height);
    this.clear();
  }

  private replace(name: string, bitmap: ImageBitmap): void {
    this.source?.close();
    this.source = bitmap;
    this.name = name;
    this.isEmpty = false;
  }

  /** Forgets the people, so that nothing of theirs is saved. */
  private clear(): void {
    this.models.forEach((model) => (model.poses = []));
    this.view.people(this.models, false);
    this.render();
  }

  /** Boxes the people that the detector finds. */
  async detect(): Promise<void> {
    const source = this.source;
    if (!source) return this.sayReady();
    this.view.status("Looking for people");
    await this.send(source);
    const boxes = await this.client.ask("detect", null);
    if (this.source !== source) return; // another picture came meanwhile
    this.isEmpty = !boxes.length;
    this.boxes.set(boxes);
    await this.estimate();
  }

  /** Takes the whole picture for one person. */
  async whole(): Promise<void> {
    this.isEmpty = false;
    this.boxes.set([]);
    await this.estimate();
  }

  /** Estimates the people in the boxes; while it does, once more at the end. */
  async estimate(): Promise<void> {
    await this.started;
    if (!this.source || !this.models.length) return this.sayReady();
    this.again = true;
    this.busy ??= this.work().finally(() => (this.busy = null));
    await this.busy;
  }

  private async work(): Promise<void> {
    while (this.again) {
      this.again = false;
      const begun = performance.now();
      const source = this.source!;
      this.view.status("Estimating");
      await this.send(source);
      const poses = await this.ask(this.boxes.get() ?? (this.isEmpty ? [] : null));
      // Of another picture, or in other boxes.
      if (this.again || this.source !== source) continue;
      this.keep(poses, performance.now() - begun, false);
    }
  }

  /** Each model's people in the worker's picture. */
  private async ask(boxes: Box[] | null): Promise<Pose[][]> {
    const maps = this.view.options().joint >= 0;
    const poses: Pose[][] = [];
    for (const slot of this.models.keys()) {
      const asked = { slot: slot as Slot, boxes, maps };
      poses.push(await this.client.ask("estimate", asked));
    }
    return poses;
  }

  private keep(poses: Pose[][], milliseconds: number, isFilm: boolean): void {
    this.models.forEach((model, at) => (model.poses = poses[at] ?? []));
    this.say(milliseconds, isFilm);
    this.view.people(this.models, isFilm);
    this.render();
  }

  /** Hands a picture's pixels to the worker, once. */
  private async send(source: ImageBitmap): Promise<void> {
    if (this.sent === source) return;
    const { width, height } = source;
    const { buffer } = pixelsOf(source);
    this.sent = source;
    await this.client.ask("picture", { data: buffer, width, height }, [buffer]);
  }

  /** The camera starts. */
  startFilm(): void {
    this.begin();
    this.clear();
  }

  /** The camera stops: its last frame is the picture. */
  async stopFilm(): Promise<void> {
    this.begin();
    await this.estimate();
  }

  /** A frame of the camera: in the box of the frame before, if it was sure. */
  async camera(video: HTMLVideoElement): Promise<void> {
    await this.started;
    if (!this.models.length) throw new Error(NO_MODEL);
    const { order } = this;
    const begun = performance.now();
    const bitmap = await createImageBitmap(video);
    await this.busy;
    if (order !== this.order) return bitmap.close();
    this.replace(FRAME, bitmap);
    await this.send(bitmap);
    const poses = await this.ask(this.next && [this.next]);
    if (order !== this.order) return;
    const { width, height } = bitmap;
    this.next = nextBox(poses[0][0], width, height);
    const changed = this.view.picture(width, height);
    if (changed || this.boxes.get()) this.boxes.set([], [width, height]);
    this.keep(poses, performance.now() - begun, true);
  }

  private say(milliseconds: number, isFilm: boolean): void {
    const { poses } = this.models[0];
    const count = poses.length === 1 ? "1 person" : `${poses.length} people`;
    const time = isFilm
      ? `${(1000 / milliseconds).toFixed(1)} frames a second`
      : `${milliseconds.toFixed(0)} ms`;
    const score = poses.length === 1 ? `, score ${scoreOf(poses[0]).toFixed(2)}` : "";
    const unsure = "No joint is sure: the picture may show nobody. Drag a box around a person";
    const nobody = "The detector finds nobody; drag a box around a person";
    let text = poses.some(isSure) ? `${count}${score}` : unsure;
    if (!poses.length) text = nobody;
    const whole =
      " The whole picture counts as one person. If there are several, drag or add a box around each.";
    const hints = !isFilm && poses.some(isSure) && !this.boxes.get();
    this.view.status(`${text}; ${time}.${hints ? whole : ""}`);
  }

  /** Draws the picture, and each model's people on its side of the slider. */
  render(): void {
    const context = this.view.context();
    if (!this.source) return;
    const { width, height } = context.canvas;
    context.drawImage(this.source, 0, 0);
    const two = this.models.length > 1;
    const edge = two ? Math.round(this.view.options().split * width) : width;
    this.models.forEach((model, at) => {
      context.save();
      context.beginPath();
      context.rect(at ? edge : 0, 0, at ? width - edge : edge, height);
      context.clip();
      this.draw(context, model);
      context.restore();
    });
    if (!two) return;
    context.fillStyle = "white";
    context.fillRect(edge - width / 500, 0, width / 250, height);
  }

  private draw(context: CanvasRenderingContext2D, model: Model): void {
    const { poses, card, skeleton } = model;
    const options = this.view.options();
    // A whole picture without a sure joint may show nobody.
    if (!this.boxes.get() && !poses.some(isSure)) return;
    const beta = isIntegral(card) ? (card.network?.beta ?? 1) : null;
    for (const { maps } of poses) {
      if (maps && options.joint >= 0) drawMap(context, maps, options.joint, beta);
    }
    for (const pose of poses) drawPose(context, pose, skeleton, options);
  }

  /** The picture's name without its ending. */
  private get stem(): string {
    return this.name.replace(/\.[^.]*$/, "");
  }

  async savePicture(): Promise<void> {
    const { canvas } = this.view.context();
    const name = `${this.stem}_poses.png`;
    const blob = await new Promise<Blob | null>((give) => canvas.toBlob(give));
    if (!blob) throw new Error("The browser cannot write so large a picture.");
    save(blob, name);
  }

  /** Saves the first model's people in COCO's result form. */
  saveJoints(): void {
    const { poses, skeleton } = this.models[0];
    const text = JSON.stringify(toCoco(poses, skeleton, this.name), null, 1);
    save(new Blob([text], { type: "application/json" }), `${this.stem}_joints.json`);
  }
}
