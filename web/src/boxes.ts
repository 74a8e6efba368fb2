// Boxes over the picture: drawn with the mouse, moved by mouse, finger or keys.

import type { Box } from "./coordinates";

const SMALLEST = 8; // pixels of the picture
const STEP = 0.01; // of the picture's longer side, for an arrow key
const KEYS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const HELP =
  "Arrow keys move it, with Shift they change its size, Delete removes it.";

export class Boxes {
  private boxes: Box[] = [];
  private size: [number, number] = [1, 1];
  /** Of the drag that is going on; a new list of boxes ends it. */
  private drag = new AbortController();

  constructor(
    private layer: HTMLElement,
    private changed: () => void,
  ) {
    layer.addEventListener("pointerdown", (event) => this.begin(event));
  }

  /** The boxes; null if there are none, for the whole picture. */
  get(): Box[] | null {
    return this.boxes.length ? this.boxes : null;
  }

  /** Shows these boxes on a picture of this size. */
  set(boxes: Box[], size = this.size): void {
    this.drag.abort();
    this.boxes = boxes;
    this.size = size;
    this.layer.replaceChildren();
    boxes.forEach((_, at) => this.layer.append(this.element(at)));
  }

  /** Adds a box near the middle, beside earlier ones, for the keyboard. */
  add(): void {
    const [width, height] = this.size;
    const aside = 1 + (this.boxes.length % 8) / 8;
    const at = [(aside * width) / 4, (aside * height) / 8];
    const box = [...at, width / 2, height * 0.75];
    this.set([...this.boxes, box.map(Math.round) as Box]);
    (this.layer.lastElementChild as HTMLElement).focus();
    this.changed();
  }

  /** A drag on the picture makes a box. A finger scrolls the page instead. */
  private begin(event: PointerEvent): void {
    const free = event.target === this.layer && event.button === 0;
    if (!free || event.pointerType === "touch") return;
    const [x, y] = this.place(event);
    const before = this.boxes;
    this.set([...before, [x, y, 0, 0]]);
    this.follow(event, before, before.length, (now) => {
      const left = Math.min(x, now[0]);
      const top = Math.min(y, now[1]);
      return [left, top, Math.abs(now[0] - x), Math.abs(now[1] - y)];
    });
  }

  private element(at: number): HTMLElement {
    const element = document.createElement("div");
    element.className = "box";
    element.tabIndex = 0;
    element.role = "group";
    element.addEventListener("keydown", (event) => this.key(event, at));
    element.addEventListener("pointerdown", (event) => {
      if (event.target === remove || event.button !== 0) return;
      const box = this.boxes[at];
      const [x, y, w, h] = box;
      const from = this.place(event);
      const resizes = event.target === handle;
      this.follow(event, this.boxes, at, ([px, py]) => {
        const dx = px - from[0];
        const dy = py - from[1];
        return resizes ? [x, y, w + dx, h + dy] : this.moved(box, dx, dy);
      });
      element.focus();
      event.preventDefault();
    });
    const handle = document.createElement("span");
    handle.className = "handle";
    const remove = document.createElement("button");
    remove.textContent = "×";
    remove.ariaLabel = `Remove box ${at + 1}`;
    remove.addEventListener("click", () => this.remove(at));
    element.append(handle, remove);
    this.put(element, at);
    return element;
  }

  /** Changes a box while the pointer is down; Escape brings back `before`. */
  private follow(
    event: PointerEvent,
    before: Box[],
    at: number,
    boxAt: (place: [number, number]) => Box,
  ): void {
    const layer = this.layer;
    const pointer = event.pointerId;
    layer.setPointerCapture(pointer);
    const drag = (this.drag = new AbortController());
    const { signal } = drag;
    const move = (next: PointerEvent) => {
      if (next.pointerId === pointer) this.change(at, boxAt(this.place(next)));
    };
    const end = () => {
      drag.abort();
      const [, , w, h] = this.boxes[at];
      // A click is no box.
      if (Math.min(w, h) < SMALLEST) this.set(this.boxes.filter((_, i) => i !== at));
      else this.changed();
    };
    const cancel = ({ key }: KeyboardEvent) => {
      if (key === "Escape") this.set(before);
    };
    layer.addEventListener("pointermove", move, { signal });
    layer.addEventListener("pointerup", end, { signal });
    layer.addEventListener("pointercancel", end, { signal });
    addEventListener("keydown", cancel, { signal });
  }

  private key(event: KeyboardEvent, at: number): void {
    if (event.key === "Delete" || event.key === "Backspace") {
      this.remove(at);
    } else if (event.key in KEYS) {
      const step = Math.max(Math.round(STEP * Math.max(...this.size)), 1);
      const [dx, dy] = KEYS[event.key].map((each) => each * step);
      const box = this.boxes[at];
      const [x, y, w, h] = box;
      const larger = [w + dx, h + dy].map((side) => Math.max(side, SMALLEST));
      const moved = this.moved(box, dx, dy);
      this.change(at, event.shiftKey ? [x, y, larger[0], larger[1]] : moved);
      this.changed();
    } else {
      return;
    }
    event.preventDefault();
  }

  private remove(at: number): void {
    this.set(this.boxes.filter((_, i) => i !== at));
    (this.layer.children[Math.max(at - 1, 0)] as HTMLElement)?.focus();
    this.changed();
  }

  private change(at: number, box: Box): void {
    const whole = this.inside(box).map(Math.round) as Box;
    this.boxes = this.boxes.map((each, i) => (i === at ? whole : each));
    this.put(this.layer.children[at] as HTMLElement, at);
  }

  /** A box elsewhere, of the same size, in the picture. */
  private moved([x, y, w, h]: Box, dx: number, dy: number): Box {
    const [width, height] = this.size;
    return [clip(x + dx, width - w), clip(y + dy, height - h), w, h];
  }

  /** The part of a box that lies in the picture. */
  private inside([x, y, w, h]: Box): Box {
    const [width, height] = this.size;
    const [left, top] = [clip(x, width), clip(y, height)];
    return [left, top, clip(x + w, width) - left, clip(y + h, height) - top];
  }

  /** A detector's box may reach out of the picture: its part inside is shown. */
  private put(element: HTMLElement, at: number): void {
    const [width, height] = this.size;
    const [x, y, w, h] = this.inside(this.boxes[at]);
    element.style.left = `${(100 * x) / width}%`;
    element.style.top = `${(100 * y) / height}%`;
    element.style.width = `${(100 * w) / width}%`;
    element.style.height = `${(100 * h) / height}%`;
    const where = [x, y, w, h].map(Math.round).join(", ");
    element.ariaLabel = `Box ${at + 1}: x, y, width, height ${where}. ${HELP}`;
  }

  /** A pointer's place in pixels of the picture. */
  private place(event: PointerEvent): [number, number] {
    const on = this.layer.getBoundingClientRect();
    const share = [
      (event.clientX - on.left) / on.width,
      (event.clientY - on.top) / on.height,
    ].map((each) => clip(each, 1));
    return [share[0] * this.size[0], share[1] * this.size[1]];
  }
}

function clip(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}
