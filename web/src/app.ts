// What the page does: opens models and pictures, estimates, draws and saves.

import type { Boxes } from "./boxes";
import { isIntegral } from "./card";
import type { Client } from "./client";
import type { Box } from "./coordinates";
import { drawMap, drawPose } from "./draw";
import { pixelsOf, readNetwork, readPhotograph, save, sort } from "./files";
import { load } from "./load";
import type { Slot } from "./messages";
import { isSure, scoreOf, toCoco } from "./pose";
import { sureBox } from "./refinement";
import type { Model } from "./words";
import type { View } from "./view";

const FRAME = "frame.png";

export class App {
  private models: Model[] = [];
  private name = "";
  private source: ImageBitmap | null = null;
  private hasDetector = false;
  private busy: Promise<void> | null = null;
  private again = false;

  /** null until everything is loaded: its policy is then the closed one. */
  private client: Client | null = null;

  constructor(
    private makeClient: () => Client,
    private view: View,
    private boxes: Boxes,
  ) {}

  /** Loads the engine, and the model beside the page if there is one. */
  async start(): Promise<void> {
    const loaded = await load((share) => this.view.progress(share));
    this.client = this.makeClient();
    this.view.status("Starting the engine");
    await this.client.ask("start", loaded.engine, [loaded.engine.wasm]);
    if (loaded.model) {
      const { bytes, card, skeleton } = loaded.model;
      await this.open("model.onnx", bytes, card, skeleton);
    }
    this.view.ready();
    this.view.status(
      this.models.length ? "Ready for a photograph." : "Ready for a model: drop a model.onnx with its skeleton.json.",
    );
    if (this.source) await this.estimate();
  }

  /** Takes files that were chosen or dropped. */
  async give(files: Iterable<File>): Promise<void> {
    const given = await sort(files);
    if (!this.client && given.networks.length) {
      throw new Error("Wait until the page has loaded its engine.");
    }
    for (const file of given.networks) {
      this.view.status(`Opening ${file.name}`);
      const bytes = await readNetwork(file);
      await this.open(file.name, bytes, given.card, given.skeleton);
    }
    const [photograph] = given.photographs;
    if (photograph) {
      const { name, bitmap } = await readPhotograph(photograph);
      await this.show(name, bitmap);
    } else if (given.networks.length && this.source) {
      await this.estimate();
    } else if (!given.networks.length) {
      throw new Error("A card or a skeleton is given together with its model.onnx.");
    }
  }

  private async open(
    file: string,
    bytes: ArrayBuffer,
    card: Model["card"],
    skeleton: Model["skeleton"] | null,
  ): Promise<void> {
    const slot: Slot = this.models.length ? 1 : 0;
    const cells = card.network?.cells ?? "middle";
    const asked = { file, bytes, cells, slot };
    const network = await this.client!.ask("open", asked, [bytes]);
    if (network.kind === "detector") {
      this.hasDetector = true;
      this.view.detector(network.words);
      if (this.source) await this.detect();
      return;
    }
    const joints = skeleton ?? this.models[0]?.skeleton ?? null;
    if (joints?.joints.length !== network.joints) {
      await this.client!.ask("close", { slot });
      if (slot === 1) this.models.length = 1;
      throw new Error(
        `A model with other joints needs its skeleton.json, given together ` +
          `with it. Received: ${file}, with ${network.joints} joints`,
      );
    }
    this.models[slot] = { file, card, skeleton: joints, network, poses: [] };
    this.view.models(this.models);
    this.view.status(`${file} is open.`);
  }

  /** Removes the second model. */
  async remove(): Promise<void> {
    await this.client!.ask("close", { slot: 1 });
    this.models.length = 1;
    this.view.models(this.models);
    this.render();
  }

  /** Shows a photograph, and estimates its people. */
  private async show(name: string, bitmap: ImageBitmap): Promise<void> {
    await this.frame(name, bitmap, []);
    if (!this.client) return;
    if (this.hasDetector) await this.detect();
    else await this.estimate();
  }

  private async frame(name: string, bitmap: ImageBitmap, boxes: Box[]) {
    const { width, height } = bitmap;
    this.source?.close();
    this.source = bitmap;
    this.name = name;
    this.models.forEach((model) => (model.poses = []));
    this.boxes.set(boxes, [width, height]);
    this.view.picture(width, height);
    this.render();
  }

  /** Boxes the people that the detector finds. */
  async detect(): Promise<void> {
    const source = this.source;
    this.view.status("Looking for people");
    await this.send();
    const boxes = await this.client!.ask("detect", null);
    if (this.source !== source) return; // another picture came meanwhile
    this.boxes.set(boxes);
    if (boxes.length) return this.estimate();
    this.models.forEach((model) => (model.poses = []));
    this.render();
    this.view.status("The detector finds nobody; drag a box around a person.");
  }

  /** Takes the whole picture for one person. */
  async whole(): Promise<void> {
    this.boxes.set([]);
    await this.estimate();
  }

  /** Estimates the people in the boxes; while it does, once more at the end. */
  async estimate(): Promise<void> {
    if (!this.client || !this.source || !this.models.length) return;
    this.again = true;
    this.busy ??= this.work().finally(() => (this.busy = null));
    await this.busy;
  }

  private async work(): Promise<void> {
    while (this.again) {
      this.again = false;
      const begun = performance.now();
      this.view.status("Estimating");
      await this.send();
      await this.ask(this.boxes.get());
      if (this.again) continue; // of another picture, or in other boxes
      this.say(performance.now() - begun);
      this.render();
    }
  }

  private async ask(boxes: Box[] | null): Promise<void> {
    const maps = this.view.options().joint >= 0;
    for (const [at, model] of this.models.entries()) {
      const asked = { slot: at as Slot, boxes, maps };
      model.poses = await this.client!.ask("estimate", asked);
    }
  }

  /** Hands the picture's pixels to the worker. */
  private async send(): Promise<void> {
    const { width, height } = this.source!;
    const data = pixelsOf(this.source!);
    const pixels = { data: data.buffer, width, height };
    await this.client!.ask("picture", pixels, [data.buffer]);
  }

  /** A frame of the camera: in the box of the frame before, if it was sure. */
  async camera(video: HTMLVideoElement): Promise<void> {
    if (!this.models.length) return;
    const begun = performance.now();
    const before = this.models[0].poses[0];
    const box = before && sureBox(before.joints, before.scores);
    const bitmap = await createImageBitmap(video);
    await this.busy;
    this.source?.close();
    [this.source, this.name] = [bitmap, FRAME];
    await this.send();
    await this.ask(box ? [box] : null);
    const changed = this.view.picture(bitmap.width, bitmap.height);
    if (changed || this.boxes.get()) this.boxes.set([], [bitmap.width, bitmap.height]);
    this.render();
    this.say(performance.now() - begun, true);
  }

  private say(milliseconds: number, isFilm = false): void {
    const poses = this.models[0].poses;
    const count = poses.length === 1 ? "1 person" : `${poses.length} people`;
    const time = isFilm
      ? `${(1000 / milliseconds).toFixed(1)} frames a second`
      : `${milliseconds.toFixed(0)} ms`;
    const unsure = !poses.some(isSure);
    const score = poses.length === 1 ? `, score ${scoreOf(poses[0]).toFixed(2)}` : "";
    const hint = "No joint is sure: the picture may show nobody. Drag a box around a person";
    this.view.status(unsure ? `${hint}; ${time}.` : `${count}${score}; ${time}.`);
    this.view.people(this.models, isFilm);
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

  savePicture(): void {
    const name = this.name.replace(/\.[^.]*$/, "");
    this.view.context().canvas.toBlob((blob) => save(blob!, `${name}_poses.png`));
  }

  /** Saves the first model's people in COCO's result form. */
  saveJoints(): void {
    const { poses, skeleton } = this.models[0];
    const text = JSON.stringify(toCoco(poses, skeleton, this.name), null, 1);
    save(new Blob([text], { type: "application/json" }), "joints.json");
  }
}
