// The page's elements.

import { nameOf } from "./card";
import { showCard, showJoints, showPeople } from "./words";
import type { Model } from "./words";

export interface Shown {
  ellipses: boolean;
  /** The joint whose heat map is shown; -1 for none. */
  joint: number;
  least: number;
  /** From 0 to 1. */
  split: number;
}

export function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

export class View {
  private canvas = element<HTMLCanvasElement>("canvas");

  context(): CanvasRenderingContext2D {
    return this.canvas.getContext("2d")!;
  }

  options(): Shown {
    return {
      ellipses: element<HTMLInputElement>("ellipses").checked,
      joint: Number(element<HTMLSelectElement>("joint").value),
      least: Number(element<HTMLInputElement>("least").value),
      split: Number(element<HTMLInputElement>("split").value) / 100,
    };
  }

  progress(share: number): void {
    const bar = element<HTMLProgressElement>("progress");
    if (bar.hidden) return; // what is still read after an error
    bar.value = share;
    this.status(`Loading the engine and the model: ${Math.floor(100 * share)} %`);
  }

  ready(): void {
    element("progress").hidden = true;
  }

  status(text: string): void {
    element("status").textContent = text;
  }

  /** Shows what is wrong; an empty text removes it. */
  error(text: string): void {
    const place = element("error");
    place.textContent = text;
    place.hidden = !text;
    if (!text) return;
    this.status("");
    place.scrollIntoView({ block: "nearest" });
  }

  /** Makes room for a picture; returns whether its size is another. */
  picture(width: number, height: number): boolean {
    element("stage").hidden = false;
    element("empty").hidden = true;
    this.enableBoxes();
    const changed = this.canvas.width !== width || this.canvas.height !== height;
    if (changed) {
      this.canvas.width = width;
      this.canvas.height = height;
      // As wide as lets the height fit the window.
      element("stage").style.setProperty("--aspect", String(width / height));
    }
    return changed;
  }

  /** Boxes are for a picture that stays. */
  private enableBoxes(): void {
    const isFilm = element("camera").ariaPressed === "true";
    const stays = !isFilm && !element("stage").hidden;
    for (const id of ["add", "detect", "whole"]) enable(id, stays);
  }

  models(models: Model[]): void {
    const two = models.length > 1;
    element("split-row").hidden = !two;
    element("remove").hidden = !two;
    showCard(element("card"), models[0]);
    if (two) showCard(element("second"), models[1]);
    else element("second").replaceChildren();
    models.forEach((model, at) => {
      const side = element(at ? "right-name" : "left-name");
      side.textContent = nameOf(model.card, model.file);
    });
    const select = element<HTMLSelectElement>("joint");
    showJoints(select, models[0].skeleton);
    select.disabled = !models.some(({ network }) => network.hasMaps);
    const covariance = models.some(({ network }) => network.hasCovariance);
    element<HTMLInputElement>("ellipses").disabled = !covariance;
  }

  /** Lists the people; of a film it only says whether there are some. */
  people(models: Model[], isFilm: boolean): void {
    const some = models.some(({ poses }) => poses.length);
    for (const id of ["save-picture", "save-joints"]) enable(id, some);
    if (isFilm) element("people").textContent = "They are listed when the camera stops.";
    else showPeople(element("people"), models);
  }

  /** Shows the detector; an empty text removes it. */
  detector(words: string): void {
    element("detector").textContent = words && `Detector: ${words}.`;
    for (const id of ["detect", "remove-detector"]) element(id).hidden = !words;
  }

  camera(isOn: boolean): void {
    const button = element("camera");
    button.ariaPressed = String(isOn);
    button.textContent = isOn ? "Stop the camera" : "Camera";
    element("boxes").hidden = isOn;
    this.enableBoxes();
  }
}

function enable(id: string, isEnabled: boolean): void {
  element<HTMLButtonElement>(id).disabled = !isEnabled;
}
